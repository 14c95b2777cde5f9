import type { AdminOperation } from "../../operations/admin-operation.js";
import { neededFor } from "../../operations/needs.js";
import { isSecretOf } from "../../registry/access-token.js";
import type { AdminFunctionsOptions } from "../../registry/admin-functions.js";
import { authenticate } from "../../registry/authenticate.js";
import { Refusal } from "../../registry/refusal.js";
import type { TokenRights } from "../../registry/token-rights.js";
import { OPERATOR_ROLES } from "../../schema/roles-and-states.js";
import type { AuthorityContext } from "../authority-context.js";
import { readBearerToken, readHeaderLines } from "../read-headers.js";
import { noteHuman } from "../refusal-record.js";
import { requestStamp, stateOf } from "../request-state.js";
import type { ServedRequest } from "../served-operation.js";

/**
 * Finds out whether a request's token has the rights that the operation needs, and gives what operators' functions then work with. The token's
 * account and user say whose it is; its rights say what it operates.
 *
 * Throws `unauthenticated` without a live token of an operator's role, `forbidden` for one whose rights are not enough.
 */
export async function admitOperator(
  context: AuthorityContext,
  request: ServedRequest,
  operation: AdminOperation,
): Promise<AdminFunctionsOptions> {
  const token = readBearerToken(readHeaderLines(request.raw));
  const role = OPERATOR_ROLES.find((each) => token !== undefined && isSecretOf(each, token));
  const stamp = requestStamp(context, request);
  const holder = await authenticate(context.store, token, role ?? "read", stamp);
  const actor = `admin:${holder.accessTokenId}`;
  noteHuman(request, { ...holder, actor });
  checkRights(holder.rights, operation);
  const { agentTtlSeconds, limitsOf } = context.agentPolicy;
  const isServed = context.generations.has("B");
  return {
    now: context.now,
    identityPolicy: { isServed, agentTtlSeconds, limitsOf },
    origin: { ...stateOf(request.raw).origin, actor, actorName: holder.actorName },
    rights: holder.rights,
  };
}

function checkRights(rights: TokenRights, { needs, isForAllAccounts }: AdminOperation): void {
  const { roles, scope } = neededFor(needs);
  if (!roles.some((role) => role === rights.role)) {
    throw new Refusal("forbidden", `a token of role ${rights.role} may not do this`, {
      hint: `this takes an access token of role ${roles.join(" or ")}`,
    });
  }
  if (scope !== undefined && !rights.scopes.includes(scope)) {
    throw new Refusal("forbidden", "this token makes no tokens and no identities", {
      hint: `this takes an access token with the scope ${scope}`,
    });
  }
  if (isForAllAccounts && rights.accounts !== undefined) {
    throw new Refusal("forbidden", "this token is for some accounts, and this concerns all", {
      hint: "this takes an access token for all accounts",
    });
  }
}
