import { fileURLToPath } from "node:url";
import type { SeededDatabase } from "./seeded-database.ts";
import { ServerProcess } from "./server-process.ts";

/** The built `countersign`. */
export const COUNTERSIGN = fileURLToPath(new URL("../../../cli/dist/bin.js", import.meta.url));

const SERVE = ["authority", "serve", "--listen", "127.0.0.1:0", "--log-level", "warn"];

/** Starts `countersign authority serve` on a seeded database, with the limits that it has by default. */
export function startLimitedAuthority(database: SeededDatabase): Promise<ServerProcess> {
  const env = { COUNTERSIGN_DATABASE_URL: database.url };
  return ServerProcess.start(COUNTERSIGN, SERVE, { env });
}

/** Starts `countersign authority serve` on a seeded database, without limits by rate. */
export function startAuthority(database: SeededDatabase): Promise<ServerProcess> {
  return ServerProcess.start(COUNTERSIGN, SERVE, {
    env: {
      COUNTERSIGN_DATABASE_URL: database.url,
      COUNTERSIGN_AUTHORITY_RATE_LIMITS_REFUSALS_PER_MINUTE: "off",
      COUNTERSIGN_AUTHORITY_RATE_LIMITS_ADDRESS_PER_MINUTE: "off",
      COUNTERSIGN_AUTHORITY_RATE_LIMITS_USER_PER_MINUTE: "off",
      COUNTERSIGN_AUTHORITY_RATE_LIMITS_AGENT_PER_MINUTE: "off",
      COUNTERSIGN_AUTHORITY_MAX_LIVE_TASKS: "10000000",
      COUNTERSIGN_AUTHORITY_LIMITS_CONNECTIONS_PER_ADDRESS: "1024",
    },
  });
}
