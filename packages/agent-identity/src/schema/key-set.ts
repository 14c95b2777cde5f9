import * as v from "valibot";
import { text } from "./fields.js";

/** A public RSA key of a JWK set (RFC 7517, RFC 7518 §6.3.1). Keys of other kinds cannot have signed an identity JWT. */
export const publicRsaKeySchema = v.pipe(
  v.looseObject({
    kty: v.pipe(v.literal("RSA"), v.description("The kind of the key.")),
    kid: v.pipe(text, v.description("The id of the key, as JWTs name it.")),
    n: v.pipe(text, v.description("The modulus, in base64url.")),
    e: v.pipe(text, v.description("The public exponent, in base64url.")),
    alg: v.exactOptional(
      v.pipe(v.string(), v.description("The algorithm that the key signs with.")),
    ),
    use: v.exactOptional(v.pipe(v.string(), v.description("What the key is for."))),
    key_ops: v.exactOptional(
      v.pipe(v.array(v.string()), v.description("The operations that the key is for.")),
    ),
  }),
  // Who publishes the private half has lost it: anybody may have signed with it.
  v.check((key) => !Object.hasOwn(key, "d"), "a private key"),
);

/** A public RSA key with its id. */
export type PublicRsaKey = Readonly<v.InferOutput<typeof publicRsaKeySchema>>;

const keySetSchema = v.looseObject({ keys: v.array(v.unknown()) });

/**
 * Reads a JWK set (RFC 7517 §5). Keys in it that cannot be used are left out: one of them spoils no other.
 *
 * @returns `undefined` when it is no JWK set
 */
export function parseKeySet(value: unknown): readonly PublicRsaKey[] | undefined {
  const parsed = v.safeParse(keySetSchema, value);
  if (!parsed.success) return undefined;
  return parsed.output.keys.flatMap((key) => (v.is(publicRsaKeySchema, key) ? [key] : []));
}
