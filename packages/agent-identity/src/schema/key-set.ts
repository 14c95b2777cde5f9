import * as z from "zod";

/** A public RSA key of a JWK set (RFC 7517, RFC 7518 §6.3.1). Keys of other kinds cannot have signed an identity token. */
export const publicRsaKeySchema = z
  .looseObject({
    kty: z.literal("RSA"),
    kid: z.string().min(1),
    n: z.string().min(1),
    e: z.string().min(1),
    alg: z.string().exactOptional(),
    use: z.string().exactOptional(),
    key_ops: z.array(z.string()).exactOptional(),
  })
  // Who publishes the private half has lost it: anybody may have signed with it.
  .refine((key) => !Object.hasOwn(key, "d"), "a private key");

/** A public RSA key with its id. */
export type PublicRsaKey = Readonly<z.infer<typeof publicRsaKeySchema>>;

const keySetSchema = z.looseObject({ keys: z.array(z.unknown()) });

/**
 * Reads a JWK set (RFC 7517 §5). Keys in it that cannot be used are left out: one of them spoils no other.
 *
 * @returns `undefined` when it is no JWK set
 */
export function parseKeySet(value: unknown): readonly PublicRsaKey[] | undefined {
  const parsed = keySetSchema.safeParse(value);
  if (!parsed.success) return undefined;
  return parsed.data.keys.flatMap((key) => publicRsaKeySchema.safeParse(key).data ?? []);
}
