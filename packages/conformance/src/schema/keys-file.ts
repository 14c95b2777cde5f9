import * as z from "zod";
import { fileRemarks, hex, remarks, vectors } from "./vector-file.js";

/** Form `countersign.keys/1`: private keys, public keys, and what each must give. */
export const keysFileSchema = z.strictObject({
  form: z.literal("countersign.keys/1"),
  ...fileRemarks,
  valid: vectors(
    z.strictObject({
      ...remarks,
      private_key_pkcs8_base64: z.string(),
      ssh_public_key: z.string(),
      x25519_public_key_hex: hex,
      x25519_private_key_hex: hex,
    }),
  ),
  invalid: vectors(z.strictObject({ ...remarks, private_key_pkcs8_base64: z.string() })),
  valid_public: vectors(
    z.strictObject({ ...remarks, ssh_public_key: z.string(), canonical: z.string() }),
  ),
  invalid_public: vectors(z.strictObject({ ...remarks, ssh_public_key: z.string() })),
});

/** A file of this form. */
export type KeysFile = z.infer<typeof keysFileSchema>;
