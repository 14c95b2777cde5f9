import { isPrincipalId, isServerId } from "@countersign/agent-key";
import * as z from "zod";

const principalId = z.string().refine(isPrincipalId, "not an account or user id");
const agent = {
  // Checked as an answer's is: Codex stores whatever a server gave, and the id reaches a path.
  agent_runtime_id: z.string().refine(isServerId, "not a server's id"),
  agent_private_key: z.string().min(1),
};

/** The members of `auth.json` that say who is logged in. */
export const codexLoginSchema = z.looseObject({
  auth_mode: z.string().nullish(),
  OPENAI_API_KEY: z.unknown().optional(),
  tokens: z.unknown().optional(),
  // Shown to people only. No check uses it.
  last_refresh: z.string().catch(""),
});

/** `tokens` of `auth.json`. */
export const codexTokensSchema = z.looseObject({
  id_token: z.string(),
  access_token: z.string().min(1),
  account_id: principalId,
});

/** The claims of an id token that name the user: `chatgpt_user_id`, or in older ones `user_id`. */
export const codexIdClaimsSchema = z.looseObject({
  "https://api.openai.com/auth": z.looseObject({
    chatgpt_user_id: principalId.nullish(),
    user_id: principalId.nullish(),
  }),
});

/** The claims of an identity JWT that name whose agent it is. */
export const codexAgentClaimsSchema = z.looseObject({
  account_id: principalId,
  chatgpt_user_id: principalId,
});

/** `agent_identity` as generation A writes it. It must name a user, because an agent acts for one user. */
export const codexIdentitySchema = z.looseObject({
  workspace_id: principalId,
  chatgpt_user_id: principalId,
  ...agent,
  registered_at: z.string().optional().catch(undefined),
});

/** `agent_identity` as generation C writes it, where it is an object. */
export const codexManagedIdentitySchema = z.looseObject({
  account_id: principalId,
  chatgpt_user_id: principalId,
  ...agent,
  task_id: z.string().optional().catch(undefined),
});
