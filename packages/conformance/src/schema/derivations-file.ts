import * as z from "zod";
import { fileRemarks, hex, remarks, vectors } from "./vector-file.js";

/** Form `countersign.derivations/1`: what is computed from configuration and keys. */
export const derivationsFileSchema = z.strictObject({
  form: z.literal("countersign.derivations/1"),
  ...fileRemarks,
  /** `null`: refused with `config_invalid`. */
  base_urls: vectors(
    z.strictObject({ ...remarks, value: z.string(), normalised: z.string().nullable() }),
  ),
  key_set_urls: vectors(z.strictObject({ ...remarks, base: z.string(), url: z.string() })),
  path_segments: vectors(z.strictObject({ ...remarks, id: z.string(), segment: z.string() })),
  idempotency_keys: vectors(
    z.strictObject({
      ...remarks,
      private_key_pkcs8_base64: z.string(),
      authority: z.string(),
      agent_runtime_id: z.string(),
      scope: z.string(),
      /** The key that HKDF gives. */
      hmac_key_hex: hex.length(64).optional(),
      /** What the HMAC is over. */
      text: z.string().optional(),
      /** `null`: the scope is refused with `invalid_request`. */
      idempotency_key: z.string().nullable(),
    }),
  ),
});

/** A file of this form. */
export type DerivationsFile = z.infer<typeof derivationsFileSchema>;
