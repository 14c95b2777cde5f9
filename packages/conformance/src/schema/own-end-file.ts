import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.own-end/1`: what an agent signs to end itself or a task, and what an authority checks. */
export const ownEndFileSchema = z.strictObject({
  form: z.literal("countersign.own-end/1"),
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
      /** Absent: the agent itself ends. */
      task_id: z.string().optional(),
      timestamp: z.string(),
      private_key_pkcs8_base64: z.string(),
      signed_text: z.string(),
      body: z.record(z.string(), z.unknown()),
    }),
  ),
  check: vectors(
    z.strictObject({
      ...remarks,
      agent_runtime_id: z.string(),
      task_id: z.string().optional(),
      public_keys: z.array(z.string()),
      /** In place of the file's clock, epoch milliseconds. */
      now_ms: z.number().int().optional(),
      body,
      /** `ended`, or the code of the refusal. */
      expected: z.string(),
    }),
  ),
});

/** A file of this form. */
export type OwnEndFile = z.infer<typeof ownEndFileSchema>;
