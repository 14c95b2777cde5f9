import * as z from "zod";
import { fileRemarks, hex } from "./vector-file.js";

/** Form `countersign.codex-capture/1`: the bytes that one key of a real Codex gave. */
export const codexCaptureFileSchema = z.strictObject({
  form: z.literal("countersign.codex-capture/1"),
  ...fileRemarks,
  seed_hex: hex.length(64),
  pkcs8_v1_b64: z.string(),
  pkcs8_v2_b64: z.string(),
  public_key_hex: hex,
  public_key_ssh: z.string(),
  x25519_secret_hex: hex,
  x25519_public_hex: hex,
  task_registration: z.strictObject({ payload: z.string(), signature: z.string() }),
  assertion: z.strictObject({ payload: z.string(), signature: z.string(), header: z.string() }),
  sealed_box_sample: z.strictObject({
    plaintext: z.string(),
    b64: z.string(),
    len: z.number().int(),
  }),
  era_c_key_derivation: z.strictObject({
    context: z.string(),
    seed64_hex: hex,
    ed25519_seed_hex: hex,
  }),
});

/** A file of this form. */
export type CodexCaptureFile = z.infer<typeof codexCaptureFileSchema>;
