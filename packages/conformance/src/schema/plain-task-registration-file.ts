import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.plain-task-registration/1`: registrations that ask for a plain task id, to be signed, and as an authority judges them. */
export const plainTaskRegistrationFileSchema = z.strictObject({
  form: z.literal("countersign.plain-task-registration/1"),
  ...fileRemarks,
  build: vectors(
    z.strictObject({
      ...remarks,
      authority: z.string(),
      agent_runtime_id: z.string(),
      timestamp: z.string(),
      /** Absent: the field is not sent. */
      idempotency_key: z.string().optional(),
      private_key_pkcs8_base64: z.string(),
      signed_text: z.string(),
      body,
    }),
  ),
  check: vectors(
    z.strictObject({
      ...remarks,
      now: z.string(),
      /** What the client calls the authority by. */
      authority: z.string(),
      agent_runtime_id: z.string(),
      public_keys: z.array(z.string()),
      idempotency_key: z.string().optional(),
      body,
      /** `plain` or `sealed`: it is accepted and answered so; or the code of the refusal. */
      expected: z.string(),
    }),
  ),
});

/** A file of this form. */
export type PlainTaskRegistrationFile = z.infer<typeof plainTaskRegistrationFileSchema>;
