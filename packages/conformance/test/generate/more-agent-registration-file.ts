import { NOW } from "./vector-keys.js";

const HUMAN = { account_id: "acct-1", user_id: "user-1" };
const answer = (more: object = {}) => ({ agent_runtime_id: "agent-1", ...more });
const valid = (name: string, body: object, more: object = {}) => ({
  name,
  body,
  ...more,
  agent_runtime_id: "agent-1",
});
const invalid = (name: string, more: object) => ({ name, body: answer(more) });
const another = (name: string, more: object) => ({ ...invalid(name, more), requested: HUMAN });

/** Answers to an agent registration beside those of agent-registration.json: whom the agent is for, and its end. */
export const moreAgentRegistrationFile = {
  form: "countersign.agent-registration/1",
  description:
    "POST {base}/v1/agent/register: what the answer may hold. requested, where it is there, is whom the client registered for.",
  valid: [
    valid("whom it was registered for", answer(HUMAN), { requested: HUMAN }),
    valid("not a word about whom it is for", answer(), { requested: HUMAN }),
    valid("the account alone", answer({ account_id: "acct-1" }), { requested: HUMAN }),
    valid("an end", answer({ expires_at: NOW })),
    valid("an end with a fraction", answer({ expires_at: "2026-04-15T17:08:09.25Z" })),
    valid("an end with an offset", answer({ expires_at: "2026-04-15T19:08:09+02:00" })),
    valid("an end on a leap day", answer({ expires_at: "2028-02-29T00:00:00Z" })),
    valid("ephemeral", answer({ expires_at: NOW, ephemeral: true })),
    valid("null as ephemeral", answer({ ephemeral: null })),
    valid("null as the end", answer({ expires_at: null })),
  ],
  invalid: [
    another("another account", { ...HUMAN, account_id: "acct-2" }),
    another("another user", { ...HUMAN, user_id: "user-2" }),
    another("another user, without an account", { user_id: "user-2" }),
    another("the account in other letters", { ...HUMAN, account_id: "ACCT-1" }),
    invalid("null as the account", { account_id: null }),
    invalid("null as the user", { user_id: null }),
    invalid("an account id with a comma", { account_id: "a,b" }),
    invalid("an end without seconds", { expires_at: "2026-04-15T17:08Z" }),
    invalid("an end in lower case", { expires_at: "2026-04-15t17:08:09z" }),
    invalid("an end on 29 February of a common year", { expires_at: "2026-02-29T00:00:00Z" }),
    invalid("an end at second 60", { expires_at: "2026-04-15T17:08:60Z" }),
    invalid("an end that is a number", { expires_at: 1776272889 }),
    invalid("an id with DEL", { agent_runtime_id: "a\u007fb" }),
  ],
};
