import type { FastifyInstance } from "fastify";
import { revokeLeakedIdentity } from "../registry/leaked-identity.js";
import { Refusal } from "../registry/refusal.js";
import type { AuthorityContext } from "./authority-context.js";
import { readHeaderLines } from "./read-headers.js";
import { requestStamp } from "./request-state.js";

const BEARER = /^bearer +(\S+)/i;

/**
 * Refuses requests that carry an identity JWT of this authority as a bearer, on every route and before anything else is looked at, and ends
 * its agent (security.md).
 */
export function addLeakedIdentityHook(
  app: FastifyInstance,
  context: Pick<AuthorityContext, "store" | "now">,
): void {
  app.addHook("onRequest", async (request) => {
    for (const line of readHeaderLines(request.raw).authorization ?? []) {
      const token = BEARER.exec(line)?.[1];
      if (token === undefined) continue;
      const stamp = requestStamp(context, request);
      if (await revokeLeakedIdentity(context.store, token, stamp)) throw leaked();
    }
  });
}

function leaked(): Refusal {
  return new Refusal("unauthenticated", "an identity JWT is a key file, not a token", {
    hint: "it was sent where others read it, so its agent was revoked: issue another one",
  });
}
