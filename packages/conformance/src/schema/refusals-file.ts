import * as z from "zod";
import { fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.refusals/1`: refusals as a client reads them. */
export const refusalsFileSchema = z.strictObject({
  form: z.literal("countersign.refusals/1"),
  ...fileRemarks,
  answers: vectors(
    z.strictObject({
      ...remarks,
      /** A list: several lines. */
      www_authenticate: z.union([z.string(), z.array(z.string()), z.null()]),
      content_type: z.string().nullable(),
      body: z.string(),
      /** The refusal is an authority's. Absent: a resource server's. */
      authority: z.literal(true).optional(),
      /** `null`: none that is known. */
      code: z.string().nullable(),
    }),
  ),
  statuses: vectors(z.strictObject({ ...remarks, status: z.number().int(), code: z.string() })),
  sent: vectors(
    z.strictObject({
      ...remarks,
      code: z.string(),
      status: z.number().int(),
      /** The status is not that of the table. */
      other_status: z.literal(true).optional(),
      www_authenticate: z.string().nullable(),
      error_type: z.string(),
    }),
  ),
});

/** A file of this form. */
export type RefusalsFile = z.infer<typeof refusalsFileSchema>;
