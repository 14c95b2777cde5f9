import { inspect } from "node:util";
import type { Code } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { expect } from "vitest";
import {
  IdentityJwtError,
  type IdentityJwtReason,
} from "../../src/identity-jwt/identity-jwt-error.js";

/** What a refusal of a token should say. */
export interface ExpectedRefusal {
  readonly reason: IdentityJwtReason;
  readonly code: Code;
  readonly claim?: string;
}

/** Asserts that a token is refused for this reason, by an error in which none of the secrets can be found however deep one looks. */
export async function expectTokenRefusal(
  promise: Promise<unknown>,
  { reason, code, claim }: ExpectedRefusal,
  secrets: readonly string[] = [],
): Promise<IdentityJwtError> {
  const error = await expectRejection<IdentityJwtError>(promise, IdentityJwtError, code);
  expect({ reason: error.reason, claim: error.claim, message: error.message }).toMatchObject({
    reason,
    claim,
  });
  expect(error.hint).toBeTruthy();
  const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
  for (const secret of secrets.filter((text) => text.length > 8)) {
    expect(shown).not.toContain(secret);
    expect(error.message).not.toContain(secret);
  }
  return error;
}
