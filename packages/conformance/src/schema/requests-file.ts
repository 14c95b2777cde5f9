import * as z from "zod";
import { fileRemarks, remarks, vectors } from "./vector-file.js";

const request = z.strictObject({
  ...remarks,
  method: z.string(),
  /** The raw request target. */
  target: z.string(),
  /** Field lines as received: name and value. */
  fields: z.array(z.tuple([z.string(), z.string()])),
  body_base64: z.string().optional(),
  /** The verifier's clock in place of the file's, epoch milliseconds. */
  now_ms: z.number().optional(),
  /** `accepted`, or the code of the refusal. */
  expected: z.string(),
});

/** Form `countersign.requests/1`: requests with an assertion, bound and not, as clients sign them and as verifiers judge them. */
export const requestsFileSchema = z.strictObject({
  form: z.literal("countersign.requests/1"),
  ...fileRemarks,
  /** The verifier's clock. */
  now: z.string(),
  max_skew_seconds: z.number().nonnegative(),
  /** The verifier's public URL. */
  public_url: z.string(),
  /** Directory records, each without its task. */
  agents: vectors(z.looseObject({ agent_runtime_id: z.string() })),
  tasks: vectors(
    z.strictObject({
      ...remarks,
      agent_runtime_id: z.string(),
      task_id: z.string(),
      state: z.enum(["active", "revoked", "expired"]),
      expires_at: z.string().optional(),
    }),
  ),
  bind: vectors(
    z.strictObject({
      ...remarks,
      private_key_pkcs8_base64: z.string(),
      agent_runtime_id: z.string(),
      task_id: z.string(),
      authorization: z.string(),
      method: z.string(),
      target_uri: z.string(),
      body_base64: z.string().optional(),
      nonce: z.string(),
      content_digest: z.string().optional(),
      signature_base: z.string(),
      signature_input: z.string(),
      signature: z.string(),
    }),
  ),
  cases: vectors(
    z.strictObject({
      ...remarks,
      policy: z.strictObject({
        binding: z.enum(["off", "accept", "require"]),
        accounts: z.array(z.string()).optional(),
        capability: z.string().optional(),
      }),
      requests: z.array(request).min(1),
    }),
  ),
});

/** A file of this form. */
export type RequestsFile = z.infer<typeof requestsFileSchema>;
