import type { FastifyInstance } from "fastify";
import { Refusal } from "../../registry/refusal.js";
import type { Registry } from "../../registry/registry-types.js";
import { toWire } from "../../schema/wire.js";
import type { AuthorityContext } from "../authority-context.js";
import { admitOperator } from "./admit-operator.js";

/** What is done with one thing that has an id. */
interface EntryActions {
  readonly get: (registry: Registry, id: string) => Promise<object | undefined>;
  readonly revoke: (registry: Registry, id: string) => Promise<object | undefined>;
  readonly restore: (registry: Registry, id: string) => Promise<object | undefined>;
}

interface EntryParams {
  readonly id: string;
}

/** Serves one kind of things by their ids: `GET`, `…/revoke`, `…/restore`. */
export function addEntryRoutes(
  app: FastifyInstance,
  context: AuthorityContext,
  path: string,
  unknown: "unknown_agent" | "unknown_task",
  actions: EntryActions,
): void {
  app.get<{ Params: EntryParams }>(`${path}/:id`, async (request) => {
    const registry = await admitOperator(context, request, "read");
    return found(await actions.get(registry, request.params.id), unknown);
  });
  for (const name of ["revoke", "restore"] as const) {
    app.post<{ Params: EntryParams }>(`${path}/:id/${name}`, async (request) => {
      const registry = await admitOperator(context, request, "operate");
      return found(await actions[name](registry, request.params.id), unknown);
    });
  }
}

/** What the registry found, as it is answered. Throws 404 when it found nothing. */
export function found(
  info: object | undefined,
  unknown: "unknown_agent" | "unknown_task" | "invalid_request",
): object {
  if (info !== undefined) return toWire(info);
  throw new Refusal(unknown, "the authority has heard of nothing of that name", { status: 404 });
}
