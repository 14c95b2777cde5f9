import { isPrincipalId } from "@countersign/agent-key";
import * as z from "zod";

// What Codex's identity provider puts into its tokens.
const CLAIM = "https://api.openai.com/auth";
const MAX_TOKEN_CHARACTERS = 65_536;

const claimsSchema = z.object({
  [CLAIM]: z.object({
    chatgpt_account_id: z.string().refine(isPrincipalId),
    chatgpt_user_id: z.string().refine(isPrincipalId),
  }),
});

/** The account and user that a token names. */
export interface TokenClaims {
  readonly accountId: string;
  readonly userId: string;
}

/**
 * Reads account and user from a token, where it is a JWT that names both.
 *
 * Nothing is verified: this only says which account to ask the authority for, and the authority decides by the token.
 *
 * @returns `undefined` when it is no such token
 */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const result = claimsSchema.safeParse(payloadOf(token));
  if (!result.success) return undefined;
  const claims = result.data[CLAIM];
  return { accountId: claims.chatgpt_account_id, userId: claims.chatgpt_user_id };
}

/** Returns whether a token is an agent's identity JWT, which carries the agent's private key. Nothing else is checked. */
export function isIdentityJwt(token: string): boolean {
  const payload = payloadOf(token);
  return typeof payload === "object" && payload !== null && "agent_private_key" in payload;
}

/** Returns when a token ends, epoch milliseconds, where it is a JWT with `exp` (RFC 7519 §4.1.4). Nothing is verified. */
export function readTokenEnd(token: string): number | undefined {
  const payload = payloadOf(token);
  if (typeof payload !== "object" || payload === null || !("exp" in payload)) return undefined;
  return Number.isFinite(payload.exp) ? Number(payload.exp) * 1_000 : undefined;
}

function payloadOf(token: string): unknown {
  const parts = token.split(".");
  if (parts.length !== 3 || token.length > MAX_TOKEN_CHARACTERS) return undefined;
  try {
    return JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
  } catch {
    // A token is opaque to its holder; this one is just not of the kind that says more.
    return undefined;
  }
}
