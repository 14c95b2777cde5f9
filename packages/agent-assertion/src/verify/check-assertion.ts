import type { BindingSettings } from "../binding/binding-policy.js";
import type { RequestFacts } from "../binding/request-facts.js";
import type { AgentRecord, TaskRecord } from "../directory/agent-directory.js";
import {
  rejected,
  requireAllowed,
  requireBinding,
  requireBody,
  requireKnownAgent,
  requireLiveAgent,
  requireLiveTask,
} from "./check-steps.js";
import { isSignedBy } from "./is-signed-by.js";
import type { ParsedAssertion } from "./parse-assertion.js";
import type { AssertionPolicy, VerifiedAssertion } from "./verified-assertion.js";

/** The time skew allowed either way unless the caller says otherwise, seconds (protocol.md V-2). */
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

/** What the checks stop for. */
export type NeededFact =
  | {
      readonly name: "agent";
      /** The record under whose keys the signature does not hold. Absent at first. */
      readonly insteadOf?: AgentRecord;
    }
  | {
      readonly name: "task";
      /** Whose signature held, and who is live. */
      readonly agent: AgentRecord;
    }
  | { readonly name: "body" }
  | {
      readonly name: "nonce";
      readonly nonce: string;
      /** The last instant at which the request would be accepted, epoch milliseconds. */
      readonly expiresAt: number;
    };

/** The facts of a verifier, which sees the request as well. */
export interface VerifierFacts extends AssertionFacts {
  /** The whole body of a bound request. */
  readonly body?: Uint8Array | undefined;
  /** Whether this request was the first to spend its nonce. */
  readonly isFirst?: boolean | undefined;
}

/** The request that came with the assertion, and how its binding is treated. */
export interface BoundTo {
  readonly request: RequestFacts | undefined;
  readonly settings: BindingSettings;
}

/** Returns whether the signature of an assertion is valid under one of the agent's keys. */
export type SignatureCheck = (parsed: ParsedAssertion, agent: AgentRecord) => boolean;

/**
 * Checks a parsed assertion against what the authority knows: checks 2 to 7 in the fixed order. Synchronous and pure.
 *
 * Not checked: that the authority is the one you trust (the facts say whose they are), and request binding: the assertion alone holds
 * again until its time is over. A verifier checks both.
 *
 * @returns who sent it
 * @throws {AssertionRejected} with the code of the first check that fails
 * @see protocol.md §8
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
 * The fixed order of protocol.md §8, in this one place. It stops before each fact it needs and says which, so that a verifier
 * asks the directory no earlier than the order allows: nothing for an assertion out of time, no task before the signature held, and a
 * nonce is spent only after everything else held.
 *
 * @param facts - read only after the step that asks for them
 * @param boundTo - absent: bindings are not looked at
 */
export function* runChecks(
  parsed: ParsedAssertion,
  facts: VerifierFacts,
  options: CheckAssertionOptions,
  isSigned: SignatureCheck,
  boundTo?: BoundTo,
): Generator<NeededFact, VerifiedAssertion, undefined> {
  const { now, policy, maxSkewSeconds = DEFAULT_MAX_SKEW_SECONDS } = options;

  // 1. Size and form were the parser's.
  // 2. Time. A clock or a limit that is no number fails closed.
  const ageMs = now - parsed.issuedAt;
  if (!(ageMs <= maxSkewSeconds * 1000)) throw rejected("expired", parsed);
  if (!(ageMs >= -maxSkewSeconds * 1000)) throw rejected("not_yet_valid", parsed);

  // 3. The agent is known.
  yield { name: "agent" };
  let agent = requireKnownAgent(parsed, facts.agent);

  // 4. The signature holds. No state was looked at before; from here on the caller is who it says.
  if (!isSigned(parsed, agent)) {
    // Its key may have been rotated since the record was made.
    yield { name: "agent", insteadOf: agent };
    const newer = requireKnownAgent(parsed, facts.agent);
    if (newer === agent || !isSigned(parsed, newer)) throw rejected("bad_signature", parsed);
    agent = newer;
  }

  // 5. The agent is live.
  requireLiveAgent(parsed, agent, now);

  // 6. The task is this agent's, and live.
  yield { name: "task", agent };
  requireLiveTask(parsed, agent, facts.task, now);

  // 7. Policy: account and capability, then the request's binding, of which the body is read last.
  requireAllowed(parsed, agent, policy);
  const binding = boundTo && requireBinding(parsed, agent, boundTo.request, boundTo.settings);
  if (binding !== undefined && boundTo?.request?.hasBody !== false) {
    yield { name: "body" };
    requireBody(parsed, agent, binding.contentDigest, facts.body);
  }

  // 8. Replay.
  if (binding !== undefined) {
    const expiresAt = parsed.issuedAt + maxSkewSeconds * 1000;
    yield { name: "nonce", nonce: binding.nonce, expiresAt };
    if (facts.isFirst !== true) throw rejected("replayed", parsed, agent);
  }

  return {
    authority: facts.authority,
    agentRuntimeId: parsed.agentRuntimeId,
    taskId: parsed.taskId,
    accountId: agent.accountId,
    userId: agent.userId,
    capabilities: agent.capabilities,
    issuedAt: parsed.issuedAt,
    skewSeconds: parsed.issuedAt / 1000 - Math.floor(now / 1000),
    covered: binding?.components ?? [],
  };
}
