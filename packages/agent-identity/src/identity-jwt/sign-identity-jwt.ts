import type { webcrypto } from "node:crypto";
import { types } from "node:util";
import type { AgentKey } from "@countersign/agent-key";
import { SignJWT } from "jose/jwt/sign";
import { importJWK } from "jose/key/import";
import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { identityClaimsSchema } from "../schema/identity-claims.js";
import type { PrivateJwk } from "./create-signing-key.js";
import { CODEX_AUDIENCE, CODEX_ISSUER } from "./verify-identity-jwt.js";

const ALGORITHM = "RS256";
// The longest address of RFC 5321, and more than any plan's name: a token stays far below what verifiers read.
const MAX_EMAIL_CHARACTERS = 254;
const MAX_TEXT_CHARACTERS = 256;

/** The agent that an identity JWT is for, and what the token says of it. */
export interface IdentityJwtContent {
  readonly accountId: string;
  readonly userId: string;
  readonly agentRuntimeId: string;
  /** The agent's private key. The token contains it, so anybody who reads the token has the key. */
  readonly key: AgentKey;
  /** Epoch milliseconds, a whole second. */
  readonly issuedAt: number;
  /** Epoch milliseconds, a whole second later than `issuedAt`. The agent ends then, too. */
  readonly expiresAt: number;
  /** 1 to 256 characters. Default {@link CODEX_ISSUER}: Codex takes no other. */
  readonly issuer?: string | undefined;
  /** 1 to 256 characters. Default {@link CODEX_AUDIENCE}: Codex takes no other. */
  readonly audience?: string | undefined;
  /** At most 254 characters. Default the empty text: Codex 0.132 refuses a token without the claim. */
  readonly email?: string | undefined;
  /** 1 to 256 characters. Default `unknown`. */
  readonly planType?: string | undefined;
  /** Default `false`. */
  readonly isFedramp?: boolean | undefined;
}

/** Options of {@link signIdentityJwt}. */
export interface SignIdentityJwtOptions {
  /** An RSA key of 2048 bits or more, as a JWK or a `CryptoKey`. */
  readonly privateKey: PrivateJwk | webcrypto.CryptoKey;
  /** Names the key in the key set. 1 to 256 characters. */
  readonly kid: string;
}

/**
 * Makes an identity JWT (generation B): a JWT, signed with RS256, that carries an agent's private key (PKCS#8 version 1).
 *
 * Its claims are held against the schema that {@link verifyIdentityJwt} reads them by. Not checked: that the agent is registered.
 *
 * @returns compact JWT. Secret: it is a key file
 * @throws {AgentIdentityError} `invalid_request` when a claim is not what it must be; `config_invalid` when the key cannot sign with RS256
 * @see docs/protocol.md §13.2; RFC 7515, RFC 7519
 */
export async function signIdentityJwt(
  content: IdentityJwtContent,
  options: SignIdentityJwtOptions,
): Promise<string> {
  const claims = createClaims(content);
  const { kid } = options;
  if (kid === "" || kid.length > MAX_TEXT_CHARACTERS) {
    throw new AgentIdentityError("config_invalid", "kid must have 1 to 256 characters");
  }
  const token = new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: "JWT", kid });
  try {
    return await token.sign(await importPrivateKey(options.privateKey));
  } catch {
    // What the library says of a key is not repeated, as the key may be in it.
    throw new AgentIdentityError(
      "config_invalid",
      "this key cannot sign identity JWTs with RS256",
      { hint: "give the private half of an RSA key of 2048 bits or more" },
    );
  }
}

function createClaims(content: IdentityJwtContent): v.InferOutput<typeof identityClaimsSchema> {
  const { issuer = CODEX_ISSUER, audience = CODEX_AUDIENCE } = content;
  const { email = "", planType = "unknown", isFedramp = false } = content;
  const parsed = v.safeParse(identityClaimsSchema, {
    iss: issuer,
    aud: audience,
    iat: content.issuedAt / 1000,
    exp: content.expiresAt / 1000,
    agent_runtime_id: content.agentRuntimeId,
    agent_private_key: content.key.exportPkcs8(),
    account_id: content.accountId,
    chatgpt_user_id: content.userId,
    email,
    plan_type: planType,
    chatgpt_account_is_fedramp: isFedramp,
  });
  if (!parsed.success) throw invalid(String(parsed.issues[0].path?.[0]?.key));
  if (!isText(issuer)) throw invalid("iss");
  if (!isText(audience)) throw invalid("aud");
  if (!isText(planType)) throw invalid("plan_type");
  if (email.length > MAX_EMAIL_CHARACTERS) throw invalid("email");
  const { iat, exp } = parsed.output;
  // Whole seconds alone: readers of other makers take no fractions.
  if (!Number.isInteger(iat)) throw invalid("iat");
  if (!Number.isInteger(exp) || exp <= iat) throw invalid("exp");
  return parsed.output;
}

function isText(value: string): boolean {
  return value !== "" && value.length <= MAX_TEXT_CHARACTERS;
}

// The error of the schema is not kept: its input held the key.
function invalid(claim: string): AgentIdentityError {
  return new AgentIdentityError(
    "invalid_request",
    `an identity JWT cannot have this claim ${claim}`,
  );
}

async function importPrivateKey(
  key: PrivateJwk | webcrypto.CryptoKey,
): Promise<webcrypto.CryptoKey> {
  if (types.isCryptoKey(key)) return key;
  const imported = await importJWK({ ...key }, ALGORITHM);
  if (imported instanceof Uint8Array) throw new TypeError("a secret is no private key");
  return imported;
}
