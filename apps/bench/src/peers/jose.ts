import { createPublicKey } from "node:crypto";
import { importJWK, jwtVerify, SignJWT } from "jose";
import { CREDENTIAL, KEY } from "../fixtures/agent.ts";
import type { Work } from "../fixtures/contenders.ts";
import { privateKeyOf } from "../fixtures/ready-key.ts";

const ISSUER = CREDENTIAL.agentRuntimeId;
const AUDIENCE = "https://api.example";

/** A JWT with the same facts as an assertion, by the same Ed25519 key: agent, task and time, and whom it is for. */
export async function joseSign(): Promise<Work> {
  const key = await importJWK(privateKeyOf(KEY).export({ format: "jwk" }), "EdDSA");
  return () =>
    new SignJWT({ task: CREDENTIAL.taskId })
      .setProtectedHeader({ alg: "EdDSA" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(key);
}

/** Checks such a JWT with its key made ready. It keeps nothing of what it checked, so that one JWT will do. */
export async function joseVerify(): Promise<() => Promise<unknown>> {
  const jwk = createPublicKey(privateKeyOf(KEY)).export({ format: "jwk" });
  const key = await importJWK(jwk, "EdDSA");
  const token = (await (await joseSign())()) as string;
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: ["EdDSA"], maxTokenAge: "1h" };
  return () => jwtVerify(token, key, options);
}
