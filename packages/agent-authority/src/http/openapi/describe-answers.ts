import type * as z from "zod";
import { EVERY_ANSWER, QUOTAS, RETRYABLE, UNAUTHENTICATED } from "./http-fields.js";
import { type Json, membersOf, referenceTo } from "./schema-members.js";

/** The fields of answers that stand in the document once. */
export function sharedHeaders(): Json {
  return headersOf(
    EVERY_ANSWER.extend({ ...QUOTAS.shape, ...UNAUTHENTICATED.shape, ...RETRYABLE.shape }),
  );
}

/** The fields of an answer of one operation. */
export function headersOf(fields: z.ZodObject): Json {
  return Object.fromEntries(membersOf(fields).map(({ name, ...header }) => [name, header]));
}

/** References to fields that stand in the document once. */
export function headerReferences(fields: z.ZodObject): Json {
  return Object.fromEntries(
    Object.keys(fields.shape).map((name) => [name, referenceTo("headers", name)]),
  );
}
