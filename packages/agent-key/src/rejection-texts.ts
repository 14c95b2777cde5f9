/**
 * What each code of a verifier means: the message of its rejections. Apart from the rows of all codes, because a verifier in somebody's API needs
 * nothing else of them.
 *
 * @see docs/protocol.md §9
 */
export const REJECTION_TEXTS = {
  missing: "the request has no assertion",
  malformed: "the assertion does not have the form that the protocol gives it",
  expired: "the assertion is older than the clocks may differ",
  not_yet_valid: "the assertion is further in the future than the clocks may differ",
  unknown_agent: "the authority knows no such agent",
  bad_signature: "the signature does not hold under the agent's key",
  agent_revoked: "the agent was revoked",
  agent_expired: "the agent's registration is over",
  unknown_task: "the agent has no such task",
  task_revoked: "the task was revoked",
  task_expired: "the task is over",
  forbidden: "the agent may not do this here",
  binding_required: "the assertion is not bound to the request",
  binding_mismatch: "the assertion is bound to another request",
  replayed: "the same bound request came before",
} as const;
