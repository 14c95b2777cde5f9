import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import type { AddressLimit, BodySchema, Operation } from "../operations/operation.js";
import type { AuditedRequest } from "../schema/audit-actions.js";
import type { AuthorityContext } from "./authority-context.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** As {@link Operation.audited} says. */
    readonly audited: AuditedRequest | undefined;
    /** As {@link Operation.addressLimit} says. */
    readonly addressLimit: AddressLimit;
    /** As {@link Operation.registers} says. */
    readonly registers?: Operation["registers"];
  }
}

/** A request with the parameters of its path, by the names of the route. */
export type ServedRequest = FastifyRequest<{ Params: Readonly<Record<string, string>> }>;

/** Answers a request: with what it resolves to, unless it sent the answer itself. */
export type Handler = (request: ServedRequest, reply: FastifyReply) => Promise<unknown>;

/** An operation with what answers it. */
export interface ServedOperation extends Operation {
  /** Whether it is answered however much the authority has to do: one that is busy is not to be taken for one that is gone. */
  readonly isProbe?: boolean;
  /** Whether it is refused before all others if the authority has much to do: no client waits for it. */
  readonly isShedFirst?: boolean;
  /** Makes what answers the requests of one listener. */
  serve(context: AuthorityContext): Handler;
}

/** Operations with what answers them, by their ids. */
export type ServedOperations = Readonly<Record<string, ServedOperation>>;

/** For requests that are no operation's. */
export const OPEN_ROUTE = { audited: undefined, addressLimit: "refused_requests" } as const;

/** The pattern of an operation's route, as logs, traces and figures name it: `/agent/:agentRuntimeId` for `/agent/{agent_runtime_id}`. */
export function routeOf({ path }: Pick<Operation, "path">): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    return `:${name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())}`;
  });
}

/** Adds the route of an operation. */
export function addOperation(
  app: FastifyInstance,
  context: AuthorityContext,
  operation: ServedOperation,
): void {
  const { method, audited, addressLimit, registers, isAnsweredUnread = false } = operation;
  const handler = operation.serve(context);
  app.route<{ Params: Readonly<Record<string, string>> }>({
    method: method.toUpperCase() as HTTPMethods,
    url: routeOf(operation),
    config: { audited, addressLimit, registers },
    // Then the handler below is not reached.
    ...(isAnsweredUnread ? { onRequest: handler } : {}),
    handler,
  });
}

const STATED = [
  "method",
  "path",
  "summary",
  "description",
  "answer",
  "audited",
  "addressLimit",
  "serve",
] as const;

/**
 * Checks that operations are whole, so that none is served of which a part was forgotten.
 *
 * @param schemas - those that have a name in the document
 * @throws {TypeError} a row states not all that it must, or a schema has no name
 */
export function checkOperations(
  operations: ServedOperations,
  schemas: Readonly<Record<string, BodySchema>>,
): void {
  const named = new Set(Object.values(schemas));
  for (const [id, operation] of Object.entries(operations)) {
    const missing = STATED.find((member) => !(member in operation));
    if (missing !== undefined) throw new TypeError(`the operation ${id} must state its ${missing}`);
    const { body, answer } = operation;
    if (body !== undefined && !named.has(body)) {
      throw new TypeError(`the body of the operation ${id} must be a schema that has a name`);
    }
    if (!named.has(answer.schema)) {
      throw new TypeError(`the answer of the operation ${id} must be a schema that has a name`);
    }
  }
}
