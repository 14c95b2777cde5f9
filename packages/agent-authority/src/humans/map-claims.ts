import { isPrincipalId } from "@countersign/agent-key";
import type { OidcClaimValue } from "./oidc-issuer-options.js";
import type { OidcPolicy } from "./oidc-policy.js";
import type { HumanPrincipal } from "./principal.js";
import { refuseToken } from "./token-refusal.js";

/**
 * Says whose a verified token is: first that it has the required claims, then its user, then its account.
 *
 * @throws {Refusal} `unauthenticated`, with the reason and the claim's name as its cause
 */
export function mapClaims(
  claims: Readonly<Record<string, unknown>>,
  policy: OidcPolicy,
): HumanPrincipal {
  const { name, agentTtlSeconds } = policy;
  for (const [claim, values] of policy.require) {
    if (!hasOneOf(claims[claim], values)) throw refuseToken(name, "required", claim);
  }
  const userId = idOf(name, claims[policy.user]);
  if (userId === undefined) throw refuseToken(name, "user", policy.user);
  const accountId = accountOf(claims, policy);
  return { accountId, userId, actor: `oidc:${name}`, agentTtlSeconds };
}

function accountOf(claims: Readonly<Record<string, unknown>>, policy: OidcPolicy): string {
  const { name, account } = policy;
  if (typeof account === "string") return account;
  const value = claims[account.claim];
  const accountId = idOf(name, value);
  if (accountId === undefined || !hasOneOf(value, account.allowed)) {
    throw refuseToken(name, "account", account.claim);
  }
  return accountId;
}

function hasOneOf(value: unknown, values: readonly OidcClaimValue[]): boolean {
  const held: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.some((each) => held.includes(each));
}

// A text alone: 7 and "7" would be two users to the issuer and one here.
function idOf(name: string, value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const id = `${name}:${value}`;
  return isPrincipalId(id) ? id : undefined;
}
