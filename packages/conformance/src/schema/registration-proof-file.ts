import * as z from "zod";
import { fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.registration-proof/1`: registration proofs as clients sign them and as an authority judges them. */
export const registrationProofFileSchema = z.strictObject({
  form: z.literal("countersign.registration-proof/1"),
  ...fileRemarks,
  /** The authority's clock. */
  now: z.string(),
  public_url: z.string(),
  sign: vectors(
    z.strictObject({
      ...remarks,
      private_key_pkcs8_base64: z.string(),
      keyid: z.string(),
      created: z.number().int(),
      nonce: z.string(),
      method: z.string(),
      url: z.string(),
      body: z.string(),
      idempotency_key: z.string().optional(),
      content_digest: z.string(),
      signature_base: z.string(),
      signature_input: z.string(),
      signature: z.string(),
    }),
  ),
  check: vectors(
    z.strictObject({
      ...remarks,
      /** Present, with `timestamp`, for a task registration. */
      agent_runtime_id: z.string().optional(),
      timestamp: z.string().optional(),
      ssh_public_key: z.string(),
      /** In place of the file's. */
      public_url: z.string().optional(),
      /** In place of the file's clock, epoch milliseconds. */
      now_ms: z.number().int().optional(),
      method: z.string(),
      target: z.string(),
      fields: z.array(z.tuple([z.string(), z.string()])),
      body_base64: z.string(),
      /** `proven`, `unproven`, or the code of the refusal. */
      expected: z.string(),
    }),
  ),
});

/** A file of this form. */
export type RegistrationProofFile = z.infer<typeof registrationProofFileSchema>;
