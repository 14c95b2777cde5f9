import { hideMembers } from "@countersign/agent-key";
import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import { exportJWK } from "jose/key/export";
import { generateKeyPair } from "jose/key/generate/keypair";
import * as v from "valibot";
import { type PublicRsaKey, publicRsaKeySchema } from "../schema/key-set.js";

/** A private key as a JWK (RFC 7517). Secret. */
export type PrivateJwk = Readonly<Record<string, unknown>>;

/** A key that an issuer signs identity JWTs with. */
export interface SigningKey {
  /** Names the key in tokens and in the key set: its RFC 7638 thumbprint. */
  readonly kid: string;
  /** Secret: with it, anybody can issue identity JWTs and so make agents. */
  readonly privateJwk: PrivateJwk;
  /** What goes into the key set; nothing of the private half. */
  readonly publicJwk: PublicRsaKey;
}

/** Options of {@link createSigningKey}. */
export interface CreateSigningKeyOptions {
  /** Bits of the modulus. Default 2048, the least that RS256 takes. */
  readonly modulusLength?: 2048 | 3072 | 4096 | undefined;
}

/**
 * Makes an RSA key to sign identity JWTs with. It takes from a tenth of a second to some seconds.
 *
 * @see RFC 7518 §3.3, RFC 7638
 */
export async function createSigningKey({
  modulusLength = 2048,
}: CreateSigningKeyOptions = {}): Promise<SigningKey> {
  const pair = await generateKeyPair("RS256", { modulusLength, extractable: true });
  const { kty, n, e } = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(pair.publicKey);
  const named = { kid, alg: "RS256", use: "sig" } as const;
  const key: SigningKey = {
    kid,
    privateJwk: { ...(await exportJWK(pair.privateKey)), ...named },
    publicJwk: v.parse(publicRsaKeySchema, { kty, n, e, ...named }),
  };
  return hideMembers(key, "privateJwk");
}
