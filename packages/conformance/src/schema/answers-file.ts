import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

const headers = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

/** Form `countersign.answers/1`: answers of an authority as a client reads them. */
export const answersFileSchema = z.strictObject({
  form: z.literal("countersign.answers/1"),
  ...fileRemarks,
  /** `null`: refused with `bad_response`. */
  human: vectors(
    z.strictObject({
      ...remarks,
      body,
      account_id: z.string().nullable(),
      user_id: z.string().nullable(),
    }),
  ),
  /** `null`: refused with `bad_response`. */
  revocations: vectors(
    z.strictObject({
      ...remarks,
      body,
      /** What the client asked for, if the answer is to be held against it. */
      requested: z.strictObject({ agent_runtime_id: z.string() }).optional(),
      agent_runtime_id: z.string().nullable(),
    }),
  ),
  /** Names in lower case. `null`: refused with `bad_response`. */
  biscuits: vectors(z.strictObject({ ...remarks, headers, biscuit: z.string().nullable() })),
  /** Answers to `whoami`. */
  exchanges: vectors(
    z.strictObject({
      ...remarks,
      status: z.number().int(),
      content_type: z.string().nullable(),
      body: z.string(),
      /** `null`: the answer is taken. */
      code: z.string().nullable(),
    }),
  ),
  clocks: vectors(
    z.strictObject({
      ...remarks,
      sent_at_ms: z.number(),
      received_at_ms: z.number(),
      /** When the refusal is dealt with, by the client's clock. */
      now_ms: z.number(),
      headers,
      code: z.enum(["expired", "not_yet_valid"]),
      used_offset_seconds: z.number(),
      /** `null`: the refusal is handed up. */
      offset_seconds: z.number().nullable(),
    }),
  ),
});

/** A file of this form. */
export type AnswersFile = z.infer<typeof answersFileSchema>;
