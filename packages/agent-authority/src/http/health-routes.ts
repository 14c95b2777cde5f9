import type { FastifyInstance } from "fastify";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { AuthorityStore } from "../store/authority-store.js";
import { tryStore } from "../store/try-store.js";
import type { AuthorityContext } from "./authority-context.js";
import { OPEN_ROUTE } from "./route-config.js";

/** Serves `GET /healthz` (the process answers) and `GET /readyz` (its database takes writes, too). */
export function addHealthRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.get("/healthz", { config: OPEN_ROUTE }, async () => ({ status: "ok" }));
  app.get("/readyz", { config: OPEN_ROUTE }, async () => {
    if (await isAnswering(context.store)) return { status: "ok" };
    throw new AgentAuthorityError("unreachable", "the database cannot be used");
  });
}

const questions = new WeakMap<AuthorityStore, Promise<boolean>>();

/** Tells whether a database can be read and written. Probes that come at once ask it once: they are not limited. */
export function isAnswering(store: AuthorityStore): Promise<boolean> {
  const asked = questions.get(store);
  if (asked !== undefined) return asked;
  // Whoever asks is a probe: it acts on the answer, and the requests that fail log why.
  const question = tryStore(store)
    .then(
      () => true,
      () => false,
    )
    .finally(() => questions.delete(store));
  questions.set(store, question);
  return question;
}
