import { hash } from "node:crypto";
import { LinkedMap } from "@countersign/agent-key";

const MAX_KNOWN = 50_000;
// An agent's id is no secret. A client that only knows the id must not get its signatures checked without end.
const MAX_FAILURES = 10;

/** Names a secret that a request carries, without keeping it. */
export function claimOfSecret(secret: string): string {
  return `secret:${hash("sha256", secret, "base64url")}`;
}

/** Names the agent that a request says to be from. */
export function claimOfAgent(agentRuntimeId: string): string {
  return `agent:${agentRuntimeId}`;
}

/**
 * The callers whose credential held in this process, by what their requests claim. A claim is no proof: it only decides whether a credential
 * is looked at while a flood comes from the same address.
 */
export class KnownCallers {
  /** Failures since the claim last held. */
  readonly #failures = new LinkedMap<string, number>(MAX_KNOWN);

  /** Remembers claims that held, or that this process has just given out. */
  remember(claims: readonly string[]): void {
    for (const claim of claims) this.#failures.set(claim, 0);
  }

  /** Returns whether one of the claims is known. */
  isKnown(claims: readonly string[]): boolean {
    return claims.some((claim) => this.#failures.get(claim) !== undefined);
  }

  /** Notes that a request with these claims proved nothing. */
  fail(claims: readonly string[]): void {
    for (const claim of claims) {
      const failures = this.#failures.get(claim);
      if (failures === undefined) continue;
      if (failures + 1 >= MAX_FAILURES) this.#failures.delete(claim);
      else this.#failures.set(claim, failures + 1);
    }
  }
}
