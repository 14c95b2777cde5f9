import {
  AgentKey,
  decodeBase64Url,
  formatTimestamp,
  type HttpUrlOptions,
  parseAuthority,
} from "@countersign/agent-key";
import * as v from "valibot";
import type { AgentIdentity } from "../agent-identity.js";
import { AgentIdentityError } from "../agent-identity-error.js";
import {
  type IdentityClaims,
  identityClaimsSchema,
  withoutKey,
} from "../schema/identity-claims.js";
import type { PublicRsaKey } from "../schema/key-set.js";
import { claimError, fromJoseError, showValue } from "./from-jose-error.js";
import { IdentityJwtError } from "./identity-jwt-error.js";
import type { KeySet } from "./key-set.js";

/** The issuer of Codex's identity JWTs. */
export const CODEX_ISSUER = "https://chatgpt.com/codex-backend/agent-identity";
/** The audience of Codex's identity JWTs. */
export const CODEX_AUDIENCE = "codex-app-server";

const ALGORITHM = "RS256";
const MAX_TOKEN_CHARACTERS = 65_536;
const MAX_KID_CHARACTERS = 256;
const DEFAULT_TOLERANCE_SECONDS = 60;
const MAX_TOLERANCE_SECONDS = 300;

/** What an identity JWT is held against. */
export interface IdentityJwtOptions extends HttpUrlOptions {
  /** The keys that are trusted to sign. */
  readonly keySet: KeySet;
  /** Base URL of the authority that the agent works with. The token does not say. */
  readonly authority: string;
  /** The issuer that the token must have. Default {@link CODEX_ISSUER}. */
  readonly issuer?: string | undefined;
  /** The audience that the token must have. Default {@link CODEX_AUDIENCE}. */
  readonly audience?: string | undefined;
  /** Clock, epoch ms. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** How long after `exp` (and before `nbf`) the token is still taken. Seconds, from 0 to 300. Default 60. */
  readonly clockToleranceSeconds?: number | undefined;
}

/** Options of {@link verifyIdentityJwt}. */
export interface VerifyIdentityJwtOptions extends IdentityJwtOptions {
  /** Ends the wait for the key set. */
  readonly signal?: AbortSignal | undefined;
}

/** What a verified identity JWT says. */
export interface VerifiedIdentityJwt {
  readonly identity: AgentIdentity<AgentKey>;
  /** Without the key. */
  readonly claims: IdentityClaims;
  /** The public keys of its `kid`, one of which it was verified with. */
  readonly keys: readonly PublicRsaKey[];
}

/**
 * Verifies an identity JWT (generation B) and gives the agent in it: an identity whose key its issuer made.
 *
 * Checked in this order: form, algorithm (RS256 alone) and `kid` of the header; the key of that id in the set; the signature; `iss`, `aud`
 * (one text), `nbf`, `exp`; the claims and ids; the private key (PKCS#8 version 1 or 2). `jku`, `x5u`, `jwk` and `x5c` of the header are
 * never looked at. Not checked: whether the authority still knows the agent.
 *
 * @param token - compact JWT, at most 64 KiB. Secret: it holds the agent's private key
 * @throws {IdentityJwtError} with the `reason`; see there for the codes
 * @throws {AuthorityError} if the key set cannot be fetched
 * @throws {AgentKeyError} `config_invalid` if `authority` is not a base URL
 * @throws {AgentIdentityError} `config_invalid` if the tolerance is not a number from 0 to 300
 * @see docs/protocol.md §13.2; RFC 7515, RFC 7519 §7.2
 */
export async function verifyIdentityJwt(
  token: string,
  options: VerifyIdentityJwtOptions,
): Promise<VerifiedIdentityJwt> {
  const authority = parseAuthority(options.authority, options);
  assertTolerance(options);
  const kid = parseHeader(token);
  const keys = await options.keySet.find(kid, { signal: options.signal });
  if (keys.length === 0) {
    throw new IdentityJwtError("kid", `the identity JWT's kid ${showValue(kid)} is not trusted`);
  }
  const all = await verifyClaims(token, kid, keys, options);
  const claims = withoutKey(all);
  const identity: AgentIdentity<AgentKey> = {
    authority,
    accountId: claims.account_id,
    userId: claims.chatgpt_user_id,
    agentRuntimeId: claims.agent_runtime_id,
    key: importKey(all.agent_private_key),
    registeredAt: formatTimestamp(claims.iat * 1000),
  };
  return { identity, claims, keys };
}

/**
 * Refuses a token that was verified before and has ended since, by the same rule as {@link verifyIdentityJwt}.
 *
 * @throws {IdentityJwtError} `agent_expired`
 */
export function assertNotExpired(
  claims: Pick<IdentityClaims, "exp">,
  options: Pick<IdentityJwtOptions, "now" | "clockToleranceSeconds">,
): void {
  const { now = Date.now, clockToleranceSeconds = DEFAULT_TOLERANCE_SECONDS } = options;
  if (Math.floor(now() / 1000) < claims.exp + clockToleranceSeconds) return;
  throw new IdentityJwtError(
    "expired",
    `the identity JWT expired at ${formatTimestamp(claims.exp * 1000)}`,
    { claim: "exp" },
  );
}

function parseHeader(token: string): string {
  if (typeof token !== "string" || token === "" || token.length > MAX_TOKEN_CHARACTERS) {
    throw malformed("it is empty or longer than 64 KiB");
  }
  const parts = token.split(".");
  if (parts.length !== 3) throw malformed("it has not three parts");
  const header = parseObject(parts.map(decodePart)[0] ?? new Uint8Array());
  const { alg, kid } = header;
  if (alg !== ALGORITHM) {
    throw new IdentityJwtError(
      "algorithm",
      `the identity JWT is signed with ${showValue(alg)}, and ${ALGORITHM} alone is accepted`,
    );
  }
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_CHARACTERS) {
    throw new IdentityJwtError("kid", "the identity JWT names no key (kid) in its header", {
      code: "malformed",
      hint: "ask its issuer for an identity JWT that names its key",
    });
  }
  return kid;
}

async function verifyClaims(
  token: string,
  kid: string,
  keys: readonly PublicRsaKey[],
  options: IdentityJwtOptions,
) {
  const { issuer = CODEX_ISSUER, audience = CODEX_AUDIENCE, now = Date.now } = options;
  const { clockToleranceSeconds = DEFAULT_TOLERANCE_SECONDS } = options;
  const { createLocalJWKSet, jwtVerify } = await import("./jose.js");
  const keyOf = createLocalJWKSet({ keys: keys.map((key) => ({ ...key })) });
  let payload: Readonly<Record<string, unknown>>;
  try {
    ({ payload } = await jwtVerify(token, keyOf, {
      algorithms: [ALGORITHM],
      issuer,
      audience,
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now()),
    }));
  } catch (error) {
    throw fromJoseError(error, { kid, issuer, audience });
  }
  // Also that a claim is there at all, and that the audience is no list: the library takes one that has it.
  const parsed = v.safeParse(identityClaimsSchema, payload);
  if (parsed.success) return parsed.output;
  throw claimError(String(parsed.issues[0].path?.[0]?.key), payload, { issuer, audience });
}

function importKey(text: string): AgentKey {
  try {
    return AgentKey.importPkcs8(text);
  } catch {
    // What it says of a key is not repeated: nothing that was near it belongs into an error.
    throw new IdentityJwtError(
      "key",
      "the key in the identity JWT is no PKCS#8 Ed25519 private key",
      { claim: "agent_private_key" },
    );
  }
}

function decodePart(part: string): Uint8Array {
  try {
    return decodeBase64Url(part);
  } catch {
    throw malformed("a part of it is no base64url");
  }
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The parser's message quotes the token.
    throw malformed("its header is no JSON");
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw malformed("its header is no JSON object");
}

function assertTolerance({
  clockToleranceSeconds: seconds = DEFAULT_TOLERANCE_SECONDS,
}: {
  readonly clockToleranceSeconds?: number | undefined;
}): void {
  if (seconds >= 0 && seconds <= MAX_TOLERANCE_SECONDS) return;
  throw new AgentIdentityError(
    "config_invalid",
    `clockToleranceSeconds must be from 0 to ${MAX_TOLERANCE_SECONDS}`,
  );
}

function malformed(what: string): IdentityJwtError {
  return new IdentityJwtError("malformed", `not an identity JWT: ${what}`);
}
