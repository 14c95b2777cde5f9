import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.directory/1`: answers of the directory. */
export const directoryFileSchema = z.strictObject({
  form: z.literal("countersign.directory/1"),
  ...fileRemarks,
  valid: vectors(
    z.strictObject({
      ...remarks,
      body,
      agent_state: z.string(),
      public_keys: z.array(z.string()),
      /** `null`: the answer has no task. */
      task_state: z.string().nullable(),
    }),
  ),
  invalid: vectors(z.strictObject({ ...remarks, body })),
});

/** A file of this form. */
export type DirectoryFile = z.infer<typeof directoryFileSchema>;
