import type { FastifyInstance } from "fastify";
import { sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { AuthorityContext } from "./authority-context.js";

/** Serves `GET /healthz` (the process answers) and `GET /readyz` (its database does, too). */
export function addHealthRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async () => {
    try {
      await sql`select 1 from agents limit 1`.execute(context.store.rows);
    } catch (cause) {
      throw new AgentAuthorityError("unreachable", "the database does not answer", { cause });
    }
    return { status: "ok" };
  });
}
