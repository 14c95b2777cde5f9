import * as z from "zod";

/** Fields that any request may have. */
export const EVERY_REQUEST = z.object({
  "x-request-id": z
    .string()
    .exactOptional()
    .describe(
      "The client's id of the request: 1 to 128 letters, digits and `_.:~+/=@-`. Absent or of another form: the authority makes one.",
    ),
});

/** Fields of every answer. */
export const EVERY_ANSWER = z.object({
  date: z.string().describe("The authority's clock, which timestamps are compared with."),
  "cache-control": z.string().describe("Whether and how long the answer may be kept."),
  "x-content-type-options": z
    .literal("nosniff")
    .exactOptional()
    .describe("The content type is to be taken as it is."),
  "x-request-id": z
    .string()
    .describe("The id of the request in the authority's logs and audit log."),
});

/** Fields of an answer to a request that may have been counted. */
export const QUOTAS = z.object({
  ratelimit: z
    .string()
    .exactOptional()
    .describe(
      "What is left of each quota that the request was counted by, and the seconds until it is full again (draft-ietf-httpapi-ratelimit-headers-11). Absent: the request was not counted.",
    ),
  "ratelimit-policy": z
    .string()
    .exactOptional()
    .describe("The quotas that the request was counted by: their sizes and windows in seconds."),
});

/** Fields of a refusal with 401. */
export const UNAUTHENTICATED = z.object({
  "www-authenticate": z
    .string()
    .regex(/^AgentAssertion error="[a-z_]+"$/)
    .describe("The code of the refusal. A client reads it here before the body."),
});

/** Fields of a refusal after which the same request may be sent again. */
export const RETRYABLE = z.object({
  "retry-after": z
    .string()
    .regex(/^\d+$/)
    .describe("Seconds to wait before the same request is sent again."),
});
