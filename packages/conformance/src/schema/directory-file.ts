import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** What the verifier asked for, if the answer is to be held against it. */
const requested = z
  .strictObject({ agent_runtime_id: z.string(), task_id: z.string().optional() })
  .optional();

/** Form `countersign.directory/1`: answers of the directory. */
export const directoryFileSchema = z.strictObject({
  form: z.literal("countersign.directory/1"),
  ...fileRemarks,
  valid: vectors(
    z.strictObject({
      ...remarks,
      body,
      requested,
      agent_state: z.string(),
      public_keys: z.array(z.string()),
      /** `null`: the answer has no task. */
      task_state: z.string().nullable(),
    }),
  ),
  invalid: vectors(z.strictObject({ ...remarks, body, requested })),
});

/** A file of this form. */
export type DirectoryFile = z.infer<typeof directoryFileSchema>;
