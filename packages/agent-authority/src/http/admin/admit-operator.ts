import type { Operation } from "../../operations/operation.js";
import { isSecretOf } from "../../registry/access-token.js";
import type { AdminFunctionsOptions } from "../../registry/admin-functions.js";
import { authenticate } from "../../registry/authenticate.js";
import { Refusal } from "../../registry/refusal.js";
import type { AuthorityContext } from "../authority-context.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import { requestStamp, stateOf } from "../request-state.js";
import type { ServedRequest } from "../served-operation.js";

/**
 * Finds out whether a request's token is of a role that the operation takes, and gives what operators' functions then work with. The token's
 * account and user say whose it is; what may be operated with it is everything.
 *
 * Throws `unauthenticated` without a live token of role `read` or `operate`, `forbidden` for one of role `read` where more is needed.
 */
export async function admitOperator(
  context: AuthorityContext,
  request: ServedRequest,
  { credentials = [] }: Operation,
): Promise<AdminFunctionsOptions> {
  const token = readBearerToken(readHeaderLines(request.raw));
  const role = token !== undefined && isSecretOf("operate", token) ? "operate" : "read";
  const stamp = requestStamp(context, request);
  const holder = await authenticate(context.store.rows, token, role, stamp);
  const actor = `admin:${holder.accessTokenId}`;
  noteHuman(request, { ...holder, actor });
  if (!credentials.includes(role)) {
    throw new Refusal("forbidden", `a token of role ${role} changes nothing`, {
      hint: "this takes an access token of role operate",
    });
  }
  const { agentTtlSeconds, maxLiveAgents } = context.agentPolicy;
  const isServed = context.generations.has("B");
  return {
    now: context.now,
    identityPolicy: { isServed, agentTtlSeconds, maxLiveAgents },
    origin: { ...stateOf(request.raw).origin, actor },
  };
}
