import * as v from "valibot";
import { principalId, serverId, text } from "./fields.js";

// Up to the year 9999, so that every instant here can be written.
const numericDate = v.pipe(v.number(), v.minValue(0), v.maxValue(253_402_300_799));

const publicClaims = {
  iss: v.string(),
  // One text, never a list: a token for several audiences is a token for somebody else as well.
  aud: v.string(),
  iat: numericDate,
  exp: numericDate,
  // It becomes part of a path and of signed texts.
  agent_runtime_id: serverId,
  account_id: principalId("an account id"),
  chatgpt_user_id: principalId("a user id"),
  // Later issuers leave it out.
  email: v.optional(v.string()),
  plan_type: v.string(),
  chatgpt_account_is_fedramp: v.boolean(),
};
const publicClaimsSchema = v.object(publicClaims);

/**
 * The claims of an identity JWT (generation B), `agent_private_key` among them. Unknown claims are allowed, and so are unknown plans.
 *
 * @see docs/protocol.md §13.2; RFC 7519 §4.1
 */
export const identityClaimsSchema = v.looseObject({ ...publicClaims, agent_private_key: text });

/** The claims of a verified identity JWT without its key: nothing in it is secret. `iat` and `exp` are epoch seconds, as in the token. */
export type IdentityClaims = Readonly<v.InferOutput<typeof publicClaimsSchema>>;

/** Leaves the key out, and every claim that is not known: who knows what else an issuer puts there. */
export function withoutKey(claims: v.InferOutput<typeof identityClaimsSchema>): IdentityClaims {
  return v.parse(publicClaimsSchema, claims);
}
