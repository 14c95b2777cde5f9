import type { AgentPublicKey } from "@countersign/agent-key";
import type { AgentRecord, TaskRecord } from "../directory/agent-directory.js";
import { assertionText } from "../schema/assertion-form.js";
import {
  rejected,
  requireAllowed,
  requireKnownAgent,
  requireLiveAgent,
  requireLiveTask,
} from "./check-steps.js";
import type { ParsedAssertion } from "./parse-assertion.js";
import type { AssertionPolicy, VerifiedAssertion } from "./verified-assertion.js";

/** The time skew allowed either way unless the caller says otherwise, seconds (protocol.md §6, check 2). */
export const DEFAULT_MAX_SKEW_SECONDS = 300;

/** What the authority answered about the agent and the task that an assertion names. */
export interface AssertionFacts {
  /** The authority that the facts come from. */
  readonly authority: string;
  /** Absent: the authority does not know the agent. */
  readonly agent?: AgentRecord | undefined;
  /** Absent: the authority does not know the task, or it is another agent's. */
  readonly task?: TaskRecord | undefined;
}

/** Options of {@link checkAssertion}. */
export interface CheckAssertionOptions {
  /** The instant to judge by, epoch milliseconds. */
  readonly now: number;
  /** Seconds that the two clocks may differ, both ends included. Default 300. A larger value lets a captured assertion live longer. */
  readonly maxSkewSeconds?: number | undefined;
  readonly policy?: AssertionPolicy | undefined;
}

/** A fact that the checks stop for. */
export type FactName = "agent" | "task";

/** Tells whether the signature of an assertion holds under one of the agent's keys. */
export type SignatureCheck = (parsed: ParsedAssertion, agent: AgentRecord) => boolean;

/**
 * Checks a parsed assertion against what the authority knows: checks 2 to 7 in the fixed order. Synchronous and pure.
 *
 * Not checked: that the authority is the one you trust (the facts say whose they are), and replay: an assertion that is not bound to a
 * request holds again until its time is over.
 *
 * @returns who sent it
 * @throws {AssertionRejected} with the code of the first check that fails
 * @see protocol.md §6
 */
export function checkAssertion(
  parsed: ParsedAssertion,
  facts: AssertionFacts,
  options: CheckAssertionOptions,
): VerifiedAssertion {
  const checks = runChecks(parsed, facts, options, (_, agent) =>
    agent.publicKeys.some((key) => isSignedBy(parsed, key)),
  );
  let step = checks.next();
  while (step.done !== true) step = checks.next();
  return step.value;
}

/**
 * The fixed order of protocol.md §6, in this one place. It stops before each fact it needs and says which, so that a verifier
 * asks the directory no earlier than the order allows: nothing for an assertion out of time, no task before the signature held.
 *
 * @param facts - read only after the step that asks for them
 */
export function* runChecks(
  parsed: ParsedAssertion,
  facts: AssertionFacts,
  options: CheckAssertionOptions,
  isSigned: SignatureCheck,
): Generator<FactName, VerifiedAssertion, undefined> {
  const { now, policy, maxSkewSeconds = DEFAULT_MAX_SKEW_SECONDS } = options;

  // 1. Size and form were the parser's.
  // 2. Time. A clock or a limit that is no number fails closed.
  const ageMs = now - parsed.issuedAt * 1000;
  if (!(ageMs <= maxSkewSeconds * 1000)) throw rejected("expired", parsed);
  if (!(ageMs >= -maxSkewSeconds * 1000)) throw rejected("not_yet_valid", parsed);

  // 3. The agent is known.
  yield "agent";
  const agent = requireKnownAgent(parsed, facts.agent);

  // 4. The signature holds. No state was looked at before; from here on the caller is who it says.
  if (!isSigned(parsed, agent)) throw rejected("bad_signature", parsed);

  // 5. The agent is live.
  requireLiveAgent(parsed, agent, now);

  // 6. The task is this agent's, and live.
  yield "task";
  requireLiveTask(parsed, agent, facts.task, now);

  // 7. Policy.
  requireAllowed(parsed, agent, policy);

  return {
    authority: facts.authority,
    agentRuntimeId: parsed.agentRuntimeId,
    taskId: parsed.taskId,
    accountId: agent.accountId,
    userId: agent.userId,
    capabilities: agent.capabilities,
    issuedAt: parsed.issuedAt,
    skewSeconds: parsed.issuedAt - Math.floor(now / 1000),
    covered: [],
  };
}

/** Tells whether the signature holds under a key, over the text rebuilt from the members. */
export function isSignedBy(parsed: ParsedAssertion, key: AgentPublicKey): boolean {
  const text = assertionText(parsed.agentRuntimeId, parsed.taskId, parsed.timestamp);
  return key.verify(text, parsed.signature);
}
