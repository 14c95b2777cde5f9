import * as z from "zod";

// Strict throughout: a member that is not known would be a vector, or a part of one, that is silently not checked.

/** What every vector may say about itself. */
export const remarks = {
  name: z.string().optional(),
  comment: z.string().optional(),
  source: z.string().optional(),
};

/** What every vector file may say about itself. */
export const fileRemarks = {
  description: z.string().optional(),
  comment: z.string().optional(),
  source: z.string().optional(),
};

/** A list of vectors; absent means none. */
export function vectors<Vector extends z.ZodType>(vector: Vector) {
  return z.array(vector).default([]);
}

/** Bytes in lower-case hexadecimal. */
export const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/, "not lower-case hexadecimal");

/** A parsed JSON body, passed on unchanged: a copy could lose what the vector is about, such as a member `__proto__`. */
export const body = z.unknown();
