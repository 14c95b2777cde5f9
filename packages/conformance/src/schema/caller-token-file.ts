import * as z from "zod";
import { fileRemarks, remarks, vectors } from "./vector-file.js";

const keySet = z.strictObject({ keys: z.array(z.record(z.string(), z.string())) });

/** Form `countersign.caller-token/1`: caller tokens as the upstream of a gateway checks them. */
export const callerTokenFileSchema = z.strictObject({
  form: z.literal("countersign.caller-token/1"),
  ...fileRemarks,
  /** The upstream's clock. */
  now: z.string(),
  /** How far the clocks of gateway and upstream may differ. */
  clock_tolerance_seconds: z.number().nonnegative(),
  /** The name of the gateway. */
  issuer: z.string(),
  /** The name of the upstream. */
  audience: z.string(),
  /** What the gateway shows at `/.well-known/jwks.json`. */
  key_set: keySet,
  accept: vectors(
    z.strictObject({
      ...remarks,
      token: z.string(),
      sub: z.string(),
      authority: z.string(),
      task_id: z.string(),
      account_id: z.string(),
      user_id: z.string(),
      capabilities: z.array(z.string()),
    }),
  ),
  reject: vectors(
    z.strictObject({
      ...remarks,
      token: z.string(),
      /** In place of the file's. */
      key_set: keySet.optional(),
    }),
  ),
});

/** A file of this form. */
export type CallerTokenFile = z.infer<typeof callerTokenFileSchema>;
