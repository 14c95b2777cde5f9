import type { Row } from "./harness/row.ts";

/** Every row, in the order of the table. Each is the export `row` of the file of its name in `rows`. */
export const ROWS = [
  "sign-new-second",
  "sign-new-task",
  "sign-same-second",
  "sign-vs-dpop",
  "sign-vs-web-bot-auth",
  "sign-vs-jose",
  "sign-32-vs-dpop",
  "sign-32-vs-web-bot-auth",
  "sign-32-vs-jose",
  "verify-different",
  "verify-same",
  "verify-vs-web-bot-auth",
  "verify-vs-jose",
  "fetch-constant",
  "fetch-thread",
  "fetch-login",
  "undici-constant",
  "undici-thread",
  "until-fetch-login",
  "first-turn-prewarmed",
  "first-turn-resumed",
  "threads",
  "identities",
  "cli-header",
  "cli-version",
  "signing-proxy-login",
  "gateway-verify-repeated",
  "gateway-verify-different",
  "gateway-audit",
  "gateway-http-proxy",
  "register-sqlite",
  "register-postgresql",
  "register-latency",
  "fleet-sqlite",
  "fleet-postgresql",
  "memory-authority",
  "memory-gateway",
  "tasks-register",
  "tasks-verify",
  "connections",
] as const;

/**
 * Loads one row, and nothing that the others compare with.
 *
 * @throws {Error} if there is no row of that name
 */
export async function loadRow(name: string): Promise<Row> {
  if (!(ROWS as readonly string[]).includes(name)) throw new Error(`there is no row ${name}`);
  const { row } = (await import(`./rows/${name}.ts`)) as { row: Row };
  return row;
}
