import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.registration-requests/1`: bodies of registrations as an authority judges them. */
export const registrationRequestsFileSchema = z.strictObject({
  form: z.literal("countersign.registration-requests/1"),
  ...fileRemarks,
  max_skew_seconds: z.number().nonnegative(),
  /** Without a `code` the body has the right form. */
  agents: vectors(
    z.strictObject({
      ...remarks,
      body: body.optional(),
      /** The body as it was sent, in place of `body`. */
      body_text: z.string().optional(),
      code: z.string().optional(),
    }),
  ),
  tasks: vectors(
    z.strictObject({
      ...remarks,
      now: z.string(),
      /** The same clock, epoch milliseconds. */
      now_ms: z.number().int().optional(),
      agent_runtime_id: z.string(),
      public_keys: z.array(z.string()),
      body,
      /** `accepted`, or the code of the refusal. */
      expected: z.string(),
    }),
  ),
});

/** A file of this form. */
export type RegistrationRequestsFile = z.infer<typeof registrationRequestsFileSchema>;
