import * as z from "zod";
import { fileRemarks, remarks, vectors } from "./vector-file.js";

/** An `Authorization` field: absent, one, or several of them. */
const authorization = z.union([z.string(), z.array(z.string()), z.null()]);

/** The verifier's clock in place of the file's, epoch milliseconds. */
const now_ms = z.number().optional();

/** Form `countersign.assertions/1`: assertions to be built to the byte, accepted, or rejected with a code. */
export const assertionsFileSchema = z.strictObject({
  form: z.literal("countersign.assertions/1"),
  ...fileRemarks,
  /** The verifier's clock. */
  now: z.string(),
  max_skew_seconds: z.number().nonnegative(),
  agents: vectors(
    z.strictObject({
      ...remarks,
      agent_runtime_id: z.string(),
      ssh_public_key: z.string(),
      revoked: z.boolean().optional(),
    }),
  ),
  tasks: vectors(
    z.strictObject({
      ...remarks,
      agent_runtime_id: z.string(),
      task_id: z.string(),
      revoked: z.boolean().optional(),
    }),
  ),
  build: vectors(
    z.strictObject({
      ...remarks,
      private_key_pkcs8_base64: z.string(),
      agent_runtime_id: z.string(),
      task_id: z.string(),
      timestamp: z.string(),
      authorization: z.string(),
    }),
  ),
  accept: vectors(z.strictObject({ ...remarks, authorization, now_ms })),
  reject: vectors(z.strictObject({ ...remarks, authorization, now_ms, code: z.string() })),
});

/** A file of this form. */
export type AssertionsFile = z.infer<typeof assertionsFileSchema>;
