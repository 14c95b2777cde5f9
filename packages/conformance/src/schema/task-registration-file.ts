import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** The clocks of a client that registers, and of the authority that answers with its `Date`. Absent: the answer is read alone. */
const clocks = z.strictObject({ client: z.string(), authority: z.string() }).optional();

/** Form `countersign.task-registration/1`: requests to be signed, and answers in every form. */
export const taskRegistrationFileSchema = z.strictObject({
  form: z.literal("countersign.task-registration/1"),
  ...fileRemarks,
  requests: vectors(
    z.strictObject({
      ...remarks,
      agent_runtime_id: z.string(),
      timestamp: z.string(),
      private_key_pkcs8_base64: z.string(),
      signed_text: z.string(),
      signature: z.string(),
    }),
  ),
  responses: vectors(
    z.strictObject({
      ...remarks,
      body,
      clocks,
      private_key_pkcs8_base64: z.string(),
      task_id: z.string(),
    }),
  ),
  invalid_responses: vectors(
    z.strictObject({ ...remarks, body, clocks, private_key_pkcs8_base64: z.string() }),
  ),
});

/** A file of this form. */
export type TaskRegistrationFile = z.infer<typeof taskRegistrationFileSchema>;
