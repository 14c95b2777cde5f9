import type { FastifyInstance } from "fastify";
import { sql } from "kysely";
import type { AuthorityContext } from "./authority-context.js";

/** Serves `GET /healthz` (the process answers) and `GET /readyz` (its database does, too). */
export function addHealthRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.get("/healthz", async () => ({ status: "ok" }));
  app.get("/readyz", async () => {
    await sql`select 1 from agents limit 1`.execute(context.store.rows);
    return { status: "ok" };
  });
}
