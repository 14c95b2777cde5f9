import { generateKeyPairSync } from "node:crypto";
import type { TestIdentityIssuer } from "./identity-issuer.js";

// What Codex requires.
const ISSUER = "https://chatgpt.com/codex-backend/agent-identity";
const AUDIENCE = "codex-app-server";
const SSH_PREFIX = Buffer.from("0000000b7373682d6564323535313900000020", "hex");
// DER of an Ed25519 private key with its public key up to the seed, and between the two (RFC 5958).
const V2_PREFIX = Buffer.from("3051020101300506032b657004220420", "hex");
const V2_MIDDLE = Buffer.from("812100", "hex");

/** For whom an identity JWT is, and what differs in it. */
export interface IdentityJwtRequest {
  readonly accountId: string;
  readonly userId: string;
  /** Seconds until `exp`. Default 3600. */
  readonly lifetimeSeconds?: number | undefined;
  /** Version of the key's PKCS#8. Default 2, as Codex writes. */
  readonly pkcs8?: 1 | 2 | undefined;
  /** Claims that differ; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

/** An identity JWT with the agent in it. */
export interface TestIdentityJwt {
  readonly token: string;
  readonly agentRuntimeId: string;
  /** OpenSSH line. */
  readonly publicKey: string;
  /** Base64 of PKCS#8, as it stands in the token. */
  readonly privateKey: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** @internal Makes an agent's key and the token that carries it. */
export function makeIdentityJwt(
  issuer: TestIdentityIssuer,
  agentRuntimeId: string,
  request: IdentityJwtRequest,
  now: number,
): TestIdentityJwt {
  const pair = generateKeyPairSync("ed25519");
  const raw = pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const v1 = pair.privateKey.export({ format: "der", type: "pkcs8" });
  const v2 = Buffer.concat([V2_PREFIX, v1.subarray(-32), V2_MIDDLE, raw]);
  const privateKey = (request.pkcs8 === 1 ? v1 : v2).toString("base64");
  const issuedAt = Math.floor(now / 1000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    iat: issuedAt,
    exp: issuedAt + (request.lifetimeSeconds ?? 3600),
    agent_runtime_id: agentRuntimeId,
    agent_private_key: privateKey,
    account_id: request.accountId,
    chatgpt_user_id: request.userId,
    email: "user@mail.example",
    plan_type: "pro",
    chatgpt_account_is_fedramp: false,
    ...request.claims,
  };
  return {
    token: issuer.sign(claims),
    agentRuntimeId,
    publicKey: `ssh-ed25519 ${Buffer.concat([SSH_PREFIX, raw]).toString("base64")}`,
    privateKey,
    claims,
  };
}
