import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** What the client asked for, if the answer is to be held against it. */
const requested = z
  .strictObject({ agent_runtime_id: z.string(), new_private_key_pkcs8_base64: z.string() })
  .optional();

/** Form `countersign.key-rotation/1`: what both keys sign, what an authority checks, and its answers. */
export const keyRotationFileSchema = z.strictObject({
  form: z.literal("countersign.key-rotation/1"),
  ...fileRemarks,
  /** What the client calls the authority by. */
  authority: z.string(),
  /** The authority's clock. */
  now: z.string(),
  max_skew_seconds: z.number().nonnegative(),
  build: vectors(
    z.strictObject({
      ...remarks,
      authority: z.string(),
      agent_runtime_id: z.string(),
      timestamp: z.string(),
      private_key_pkcs8_base64: z.string(),
      new_private_key_pkcs8_base64: z.string(),
      compromised: z.literal(true).optional(),
      signed_text: z.string(),
      body: z.record(z.string(), z.unknown()),
    }),
  ),
  check: vectors(
    z.strictObject({
      ...remarks,
      agent_runtime_id: z.string(),
      /** The newest first. */
      current_public_keys: z.array(z.string()),
      ended_public_keys: z.array(z.string()),
      /** In place of the file's clock, epoch milliseconds. */
      now_ms: z.number().int().optional(),
      body,
      /** `rotated`, `repeated`, or the code of the refusal. */
      expected: z.string(),
    }),
  ),
  valid: vectors(
    z.strictObject({
      ...remarks,
      body,
      requested,
      agent_runtime_id: z.string(),
      ssh_public_key: z.string(),
      former_key_ends_at: z.string().nullable(),
    }),
  ),
  invalid: vectors(z.strictObject({ ...remarks, body, requested })),
});

/** A file of this form. */
export type KeyRotationFile = z.infer<typeof keyRotationFileSchema>;
