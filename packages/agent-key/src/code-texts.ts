import type { Code } from "./code-rows.js";
import type { REJECTION_TEXTS } from "./rejection-texts.js";

// Apart from the rows, because a verifier has no use for these texts and does not load them.

/** What each code means that is no verifier's, in the words of protocol.md §9. */
export const CODE_MEANINGS: Readonly<Record<Exclude<Code, keyof typeof REJECTION_TEXTS>, string>> =
  {
    upstream_refused: "the upstream refused what the gateway sends in place of the assertion",
    unauthenticated: "the credential is not accepted, or none was sent",
    biscuit_invalid: "the biscuit is not valid, or is for another request",
    invalid_request: "the request does not have the form that it must have",
    invalid_key: "the key is not valid, or is another agent's",
    agent_limit: "the user has as many live agents as the authority allows",
    task_limit: "the agent has as many live tasks as the authority allows",
    rate_limited: "too many requests came, and this one changed nothing",
    timeout: "no answer came in time",
    unreachable: "no connection could be made, or it ended before the answer",
    bad_response: "the answer is not one of the protocol",
    refused: "the server refused, and gave no other code",
    server_error: "the server cannot serve the request now",
    cancelled: "the caller ended the operation",
    store_corrupt: "what is stored cannot be read",
    store_locked: "another process keeps the store busy",
    store_denied: "the store may not be read or written, or is open to others",
    usage: "the command line is not valid",
    config_invalid: "a setting or option is not valid",
    unknown_feature: "there is no feature of this name",
    not_logged_in: "no login is stored, or it does not serve here",
    no_identity: "there is no agent to sign with",
    signer_failed: "the signer that holds the agent's key gave no signature",
    address_in_use: "another process listens on this address",
    internal: "a defect of this program",
  };

/**
 * What to do about each code if the error itself does not say. `{authority}` stands for the authority's URL, `{new_task}` for how to get another
 * task.
 */
export const CODE_HINTS: Readonly<Record<Code, string | undefined>> = {
  missing: undefined,
  malformed: "send the field whole and unchanged, as countersign header prints it",
  expired: "an assertion lives for minutes: make a new one when it is sent, and check both clocks",
  not_yet_valid: "check both clocks",
  unknown_agent:
    "check that client and server use the same authority; if they do, ask the operator of {authority}",
  bad_signature: "it was changed on its way, or signed by another key than the agent's",
  agent_revoked:
    "the operator of {authority} revoked this agent, and it never replaces itself: ask them",
  agent_expired: "log in again: an agent is renewed under fresh human auth",
  unknown_task: "check that the task is this agent's; {new_task}",
  task_revoked: "{new_task}",
  task_expired: "{new_task}",
  forbidden: "ask the operator of the server that refused: this login or agent may not do that",
  binding_required: undefined,
  binding_mismatch: undefined,
  replayed: undefined,
  upstream_refused: undefined,
  unauthenticated:
    "get a new access token from {authority}, or log in there again: it does not accept this one",
  biscuit_invalid:
    "log in to {authority} again; if it stays, check the authority's clock and its generations",
  invalid_request: undefined,
  invalid_key: "this key belongs to somebody else: forget the identity and register a new one",
  agent_limit:
    "end agents of this user that are not used, or ask the operator of {authority} to revoke them or to raise the limit",
  task_limit:
    "ask the operator of {authority} to revoke tasks that are not used, to let them end (task_idle_ttl), or to raise the limit",
  rate_limited: "wait a little and try again",
  timeout: undefined,
  unreachable: undefined,
  bad_response: "check that the authority's address is right and names an authority",
  refused: undefined,
  server_error: "try again later; if it stays, tell the operator of the server",
  cancelled: undefined,
  store_corrupt: undefined,
  store_locked: undefined,
  store_denied: undefined,
  usage: undefined,
  config_invalid: undefined,
  unknown_feature: undefined,
  not_logged_in: undefined,
  no_identity: undefined,
  signer_failed: undefined,
  address_in_use: undefined,
  internal: undefined,
};
