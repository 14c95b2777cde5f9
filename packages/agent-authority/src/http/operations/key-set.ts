import { readKeySet } from "../../registry/signing-keys.js";
import { instantOf } from "../../registry/times.js";
import { PUBLIC_SCHEMAS } from "../openapi/public-schemas.js";
import { OPEN_ROUTE, type ServedOperation, type ServedOperations } from "../served-operation.js";

// A reader that finds a new key's id asks again, and caches on its way may keep it from that for this long.
const CACHE_CONTROL = "public, max-age=60";

/** The public keys that identity JWTs are verified with, where Codex looks for them by the base URL that it is given (protocol §13.2, generation B). */
export const keySetOperations: ServedOperations = {
  // Below `/backend-api`.
  readKeySet1: readKeySetAt("/wham/agent-identities/jwks"),
  // Without a path.
  readKeySet2: readKeySetAt("/api/codex/agent-identities/jwks"),
  // Below `/api/codex`.
  readKeySet3: readKeySetAt("/agent-identities/jwks"),
};

function readKeySetAt(path: string): ServedOperation {
  return {
    method: "get",
    path,
    summary: "Shows the public keys that identity JWTs are verified with.",
    description:
      "For clients of generation B (protocol §13.2). It is the same at each of the paths where Codex looks for it.",
    answer: { description: "A JWK set (RFC 7517).", schema: PUBLIC_SCHEMAS.KeySet },
    ...OPEN_ROUTE,
    serve:
      ({ store, now }) =>
      async (_request, reply) => {
        reply.header("cache-control", CACHE_CONTROL);
        return readKeySet(store.rows, instantOf(now));
      },
  };
}
