import { signatureHeaders, verify } from "web-bot-auth";
import { signerFromJWK, verifierFromJWK } from "web-bot-auth/crypto";
import { KEY } from "../fixtures/agent.ts";
import type { Work } from "../fixtures/contenders.ts";
import { privateKeyOf } from "../fixtures/ready-key.ts";
import { REQUEST } from "../fixtures/signing.ts";

const LIFETIME_MS = 300_000;

/** A message signature (RFC 9421) as Web Bot Auth has it, by the same Ed25519 key: it covers the origin, and lives for five minutes. */
export async function webBotAuthSign(): Promise<Work> {
  const signer = await signerFromJWK(privateKeyOf(KEY).export({ format: "jwk" }));
  return () => {
    const created = new Date();
    const expires = new Date(created.getTime() + LIFETIME_MS);
    return signatureHeaders({ ...REQUEST, headers: {} }, signer, { created, expires });
  };
}

/** Checks a message that was signed as above. It keeps nothing of what it checked, so that one message will do. */
export async function webBotAuthVerify(): Promise<() => Promise<unknown>> {
  const sign = await webBotAuthSign();
  const { kty, crv, x } = privateKeyOf(KEY).export({ format: "jwk" });
  const verifier = await verifierFromJWK({ kty, crv, x });
  const headers = (await sign()) as Record<string, string>;
  const message = { ...REQUEST, headers };
  return () => verify(message, verifier);
}
