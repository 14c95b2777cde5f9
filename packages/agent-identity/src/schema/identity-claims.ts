import { isPrincipalId, isServerId } from "@countersign/agent-key";
import * as z from "zod";

// Up to the year 9999, so that every instant here can be written.
const numericDate = z.number().min(0).max(253_402_300_799);

/**
 * The claims of an identity token (generation B), `agent_private_key` among them. Unknown claims are allowed, and so are unknown plans.
 *
 * @see docs/protocol.md §13.2; RFC 7519 §4.1
 */
export const identityClaimsSchema = z.looseObject({
  iss: z.string(),
  // One text, never a list: a token for several audiences is a token for somebody else as well.
  aud: z.string(),
  iat: numericDate,
  exp: numericDate,
  // It becomes part of a path and of signed texts.
  agent_runtime_id: z.string().refine(isServerId, "not a server's id"),
  agent_private_key: z.string().min(1),
  account_id: z.string().refine(isPrincipalId, "not an account id"),
  chatgpt_user_id: z.string().refine(isPrincipalId, "not a user id"),
  // Later issuers leave it out.
  email: z.string().optional(),
  plan_type: z.string(),
  chatgpt_account_is_fedramp: z.boolean(),
});

const publicClaimsSchema = z.object(identityClaimsSchema.omit({ agent_private_key: true }).shape);

/** The claims of a verified identity token without its key: nothing in it is secret. `iat` and `exp` are epoch seconds, as in the token. */
export type IdentityClaims = Readonly<z.infer<typeof publicClaimsSchema>>;

/** Leaves the key out, and every claim that is not known: who knows what else an issuer puts there. */
export function withoutKey(claims: z.infer<typeof identityClaimsSchema>): IdentityClaims {
  return publicClaimsSchema.parse(claims);
}
