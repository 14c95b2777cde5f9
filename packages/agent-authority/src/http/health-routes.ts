import type { FastifyInstance } from "fastify";
import { sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { AuthorityStore } from "../store/authority-store.js";
import type { AuthorityContext } from "./authority-context.js";
import { OPEN_ROUTE } from "./route-config.js";

/** Serves `GET /healthz` (the process answers) and `GET /readyz` (its database does, too). */
export function addHealthRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.get("/healthz", { config: OPEN_ROUTE }, async () => ({ status: "ok" }));
  app.get("/readyz", { config: OPEN_ROUTE }, async () => {
    if (await isAnswering(context.store)) return { status: "ok" };
    throw new AgentAuthorityError("unreachable", "the database does not answer");
  });
}

const questions = new WeakMap<AuthorityStore, Promise<boolean>>();

/** Tells whether a database answers and can be written, with the tables that it should have. Probes that come at once ask it once: they are not limited. */
export function isAnswering(store: AuthorityStore): Promise<boolean> {
  const asked = questions.get(store);
  if (asked !== undefined) return asked;
  const question = ask(store).finally(() => questions.delete(store));
  questions.set(store, question);
  return question;
}

async function ask({ kind, rows }: AuthorityStore): Promise<boolean> {
  try {
    if (kind === "sqlite") {
      await sql`select 1 from agents limit 1`.execute(rows);
      return true;
    }
    // A server that was the standby, or has become one, answers questions and takes no registration.
    const { rows: found } = await sql<{ mode: string }>`select
      current_setting('transaction_read_only') as mode,
      exists (select 1 from agents)`.execute(rows);
    return found[0]?.mode === "off";
  } catch {
    // Whoever asks is a probe: it acts on the answer, and the requests that fail log why.
    return false;
  }
}
