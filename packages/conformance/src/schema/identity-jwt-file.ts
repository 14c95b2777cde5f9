import * as z from "zod";
import { fileRemarks, remarks, vectors } from "./vector-file.js";

/** In place of the file's. */
const keySet = z.unknown().optional();

/** Form `countersign.identity-jwt/1`: identity JWTs (generation B) as a client reads them. */
export const identityJwtFileSchema = z.strictObject({
  form: z.literal("countersign.identity-jwt/1"),
  ...fileRemarks,
  /** The reader's clock. */
  now: z.string(),
  issuer: z.string(),
  audience: z.string(),
  key_set: z.unknown(),
  accept: vectors(
    z.strictObject({
      ...remarks,
      token: z.string(),
      key_set: keySet,
      agent_runtime_id: z.string(),
      account_id: z.string(),
      user_id: z.string(),
      ssh_public_key: z.string(),
    }),
  ),
  reject: vectors(
    z.strictObject({ ...remarks, token: z.string(), key_set: keySet, code: z.string() }),
  ),
});

/** A file of this form. */
export type IdentityJwtFile = z.infer<typeof identityJwtFileSchema>;
