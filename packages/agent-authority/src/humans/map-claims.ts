import { isPrincipalId } from "@countersign/agent-key";
import { claimAt } from "./claim-at.js";
import type { HumanPrincipal } from "./human-issuer.js";
import { keepClaims } from "./keep-claims.js";
import type { OidcClaimValue } from "./oidc-issuer-options.js";
import type { OidcPolicy } from "./oidc-policy.js";
import { refuseToken } from "./token-refusal.js";

/**
 * Says whose a verified token is: first that it has the required claims, then its user, then its account. Takes with it the claims that are to be kept.
 *
 * @throws {Refusal} `unauthenticated`, with the reason and the claim's name as its cause
 */
export function mapClaims(
  claims: Readonly<Record<string, unknown>>,
  policy: OidcPolicy,
): HumanPrincipal {
  const { name, agentTtlSeconds } = policy;
  for (const [claim, values] of policy.require) {
    const seen = claimAt(claims, claim);
    if (!hasOneOf(seen, values)) {
      throw refuseToken(name, "required", { claim, seen, expected: values.join(" or ") });
    }
  }
  const userId = idOf(name, claims[policy.user]);
  if (userId === undefined) {
    const seen = claims[policy.user];
    throw refuseToken(name, "user", { claim: policy.user, seen, expected: "a text that is an id" });
  }
  const accountId = accountOf(claims, policy);
  const kept = keepClaims(claims, policy.keepClaims);
  return { accountId, userId, actor: `oidc:${name}`, agentTtlSeconds, claims: kept };
}

function accountOf(claims: Readonly<Record<string, unknown>>, policy: OidcPolicy): string {
  const { name, account } = policy;
  if (typeof account === "string") return account;
  const value = claims[account.claim];
  const accountId = idOf(name, value);
  if (accountId === undefined || !hasOneOf(value, account.allowed)) {
    const expected = "one of the allowed accounts";
    throw refuseToken(name, "account", { claim: account.claim, seen: value, expected });
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
