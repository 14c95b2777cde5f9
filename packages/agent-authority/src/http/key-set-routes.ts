import type { FastifyInstance } from "fastify";
import { readKeySet } from "../registry/signing-keys.js";
import { instantOf } from "../registry/times.js";
import type { AuthorityContext } from "./authority-context.js";
import { OPEN_ROUTE } from "./route-config.js";

// A reader that finds a new key's id asks again, and caches on its way may keep it from that for this long.
const CACHE_CONTROL = "public, max-age=60";

/** Where Codex looks for the key set, by the base URL that it is given: below `/backend-api`, without a path, below `/api/codex`. */
export const KEY_SET_PATHS = [
  "/wham/agent-identities/jwks",
  "/api/codex/agent-identities/jwks",
  "/agent-identities/jwks",
] as const;

/** Serves the public keys that identity JWTs are verified with (protocol §13.2, generation B). */
export function addKeySetRoutes(app: FastifyInstance, context: AuthorityContext): void {
  for (const path of KEY_SET_PATHS) {
    app.get(path, { config: OPEN_ROUTE }, async (_request, reply) => {
      reply.header("cache-control", CACHE_CONTROL);
      return readKeySet(context.store.rows, instantOf(context.now));
    });
  }
}
