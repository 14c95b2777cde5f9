import type { FastifyInstance } from "fastify";
import { revokeLeakedIdentity } from "../registry/leaked-identity.js";
import { Refusal } from "../registry/refusal.js";
import { instantOf } from "../registry/times.js";
import type { AuthorityContext } from "./authority-context.js";
import { readHeaderLines } from "./read-headers.js";

const BEARER = /^bearer +(\S+)/i;

/**
 * Refuses requests that carry an identity JWT of this authority as a bearer, on every route and before anything else is looked at, and ends
 * its agent (security.md).
 */
export function addLeakedIdentityHook(
  app: FastifyInstance,
  { store, now }: Pick<AuthorityContext, "store" | "now">,
): void {
  app.addHook("onRequest", async ({ raw }) => {
    for (const line of readHeaderLines(raw).authorization ?? []) {
      const token = BEARER.exec(line)?.[1];
      if (token === undefined) continue;
      if (await revokeLeakedIdentity(store, token, instantOf(now))) throw leaked();
    }
  });
}

function leaked(): Refusal {
  return new Refusal("unauthenticated", "an identity JWT is a key file, not a token", {
    hint: "it was sent where others read it, so its agent was revoked: issue another one",
  });
}
