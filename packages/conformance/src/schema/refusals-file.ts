import * as z from "zod";
import { fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.refusals/1`: refusals as a client reads them. */
export const refusalsFileSchema = z.strictObject({
  form: z.literal("countersign.refusals/1"),
  ...fileRemarks,
  answers: vectors(
    z.strictObject({
      ...remarks,
      www_authenticate: z.string().nullable(),
      content_type: z.string().nullable(),
      body: z.string(),
      /** `null`: none that is known. */
      code: z.string().nullable(),
    }),
  ),
  statuses: vectors(z.strictObject({ ...remarks, status: z.number().int(), code: z.string() })),
});

/** A file of this form. */
export type RefusalsFile = z.infer<typeof refusalsFileSchema>;
