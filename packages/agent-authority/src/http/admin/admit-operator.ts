import type { FastifyRequest } from "fastify";
import { isSecretOf } from "../../registry/access-token.js";
import { authenticate } from "../../registry/authenticate.js";
import { createRegistry } from "../../registry/create-registry.js";
import { Refusal } from "../../registry/refusal.js";
import type { Registry } from "../../registry/registry-types.js";
import type { AuthorityContext } from "../authority-context.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import { originOf, requestOccasion } from "../request-origin.js";

/**
 * Gives who sent a request the registry, as far as the token's role goes: `operate` may also read. The token's account and user say whose it
 * is; what may be operated with it is everything.
 *
 * Throws `unauthenticated` without a live token of one of the two roles, `forbidden` for one of role `read` where more is needed.
 */
export async function admitOperator(
  context: AuthorityContext,
  request: FastifyRequest,
  needed: "read" | "operate",
): Promise<Registry> {
  const token = readBearerToken(readHeaderLines(request.raw));
  const role = token !== undefined && isSecretOf("operate", token) ? "operate" : "read";
  const occasion = requestOccasion(context, request);
  const holder = await authenticate(context.store.rows, token, role, occasion);
  const actor = `admin:${holder.accessTokenId}`;
  noteHuman(request, { ...holder, actor });
  if (needed === "operate" && role === "read") {
    throw new Refusal("forbidden", "a token of role read changes nothing", {
      hint: "this takes an access token of role operate",
    });
  }
  const { agentTtlSeconds, maxLiveAgents } = context.agentPolicy;
  return createRegistry(context.store, {
    now: context.now,
    generations: [...context.generations],
    agentTtlSeconds,
    maxLiveAgents,
    origin: { ...originOf(request.raw), actor },
  });
}
