import * as z from "zod";

/** The fields of a registration proof (protocol §5.3). All three are sent, or none. */
export const PROOF_FIELDS = z.object({
  "content-digest": z
    .string()
    .exactOptional()
    .describe("The digest of the body (RFC 9530), with `sha-256` or `sha-512`."),
  "signature-input": z
    .string()
    .exactOptional()
    .describe(
      'What the registration proof covers (RFC 9421): a member with `tag="agent-registration"`, which covers method, target URI, `Content-Digest` and, if it is sent, `Idempotency-Key`. The operator may require a proof.',
    ),
  signature: z
    .string()
    .exactOptional()
    .describe("The registration proof itself, by the agent's key (RFC 9421)."),
});
