import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AgentDirectory, AgentRecord, TaskRecord } from "../directory/agent-directory.js";
import { DEFAULT_MAX_SKEW_SECONDS, runChecks } from "./check-assertion.js";
import {
  requireAllowed,
  requireKnownAgent,
  requireLiveAgent,
  requireLiveTask,
} from "./check-steps.js";
import { parseAssertion } from "./parse-assertion.js";
import { SignatureCache } from "./signature-cache.js";
import type { AssertionPolicy, VerifiedAssertion } from "./verified-assertion.js";

const LARGEST_SKEW_SECONDS = 3600;
const MAX_CACHED_SIGNATURES = 10_000;

/** Options of {@link createVerifier}. */
export interface CreateVerifierOptions {
  /** Where to look up agents and tasks: the one authority that this verifier trusts. */
  readonly directory: AgentDirectory;
  /** Seconds that the two clocks may differ, both ends included. 0 to 3600. Default 300. A larger value lets a captured assertion live longer. */
  readonly maxSkewSeconds?: number | undefined;
  /** The clock, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  readonly policy?: AssertionPolicy | undefined;
}

/** Options of {@link AssertionVerifier} calls. */
export interface VerifyOptions {
  /** Gives up waiting for the directory. */
  readonly signal?: AbortSignal | undefined;
}

/** Checks the assertions of one authority's agents. */
export interface AssertionVerifier {
  /** The authority whose agents it accepts. */
  readonly authority: string;
  /**
   * Checks an `Authorization` field, all checks in the fixed order.
   *
   * @param header - as `parseAssertion` takes it; with Node's `http`, give `request.headersDistinct.authorization`
   * @throws {AssertionRejected} with the code of the first check that fails; when the directory cannot answer, its error passes as it is
   */
  verify(
    header: string | readonly string[] | undefined,
    options?: VerifyOptions,
  ): Promise<VerifiedAssertion>;
  /**
   * Looks again at what can change after a request was accepted: that agent and task are known and live, and policy. For whatever stays
   * open longer than a request: streams and WebSockets. Time and signature are not looked at again.
   *
   * @throws {AssertionRejected} `unknown_agent`, `agent_revoked`, `agent_expired`, `unknown_task`, `task_revoked`, `task_expired`, `forbidden`
   */
  recheck(assertion: VerifiedAssertion, options?: VerifyOptions): Promise<void>;
}

/**
 * Makes the verifier of one authority's assertions.
 *
 * It keeps which signatures held (at most 10,000, bounded); time, states and policy are looked at for every request. It has no state
 * that needs closing; the directory may have.
 *
 * @throws {AgentAssertionError} `config_invalid` when `maxSkewSeconds` is out of its range
 * @see protocol.md §6
 */
export function createVerifier(options: CreateVerifierOptions): AssertionVerifier {
  const { directory, policy, maxSkewSeconds = DEFAULT_MAX_SKEW_SECONDS, now = Date.now } = options;
  if (!(maxSkewSeconds >= 0 && maxSkewSeconds <= LARGEST_SKEW_SECONDS)) {
    throw new AgentAssertionError("config_invalid", "maxSkewSeconds must be from 0 to 3600");
  }
  const signatures = new SignatureCache(MAX_CACHED_SIGNATURES);
  return {
    authority: directory.authority,
    async verify(header, callOptions) {
      const parsed = parseAssertion(header);
      const facts: Facts = { authority: directory.authority, agent: undefined, task: undefined };
      const checks = runChecks(parsed, facts, { now: now(), maxSkewSeconds, policy }, (p, agent) =>
        signatures.isSigned(p, agent),
      );
      let step = checks.next();
      while (step.done !== true) {
        const { agentRuntimeId, taskId } = parsed;
        if (step.value === "agent") {
          facts.agent = await directory.agent(agentRuntimeId, callOptions);
        } else {
          facts.task = await directory.task(agentRuntimeId, taskId, callOptions);
        }
        step = checks.next();
      }
      return step.value;
    },
    async recheck(assertion, callOptions) {
      const { agentRuntimeId, taskId } = assertion;
      const at = now();
      const agent = requireKnownAgent(
        assertion,
        await directory.agent(agentRuntimeId, callOptions),
      );
      requireLiveAgent(assertion, agent, at);
      const task = await directory.task(agentRuntimeId, taskId, callOptions);
      requireLiveTask(assertion, agent, task, at);
      requireAllowed(assertion, agent, policy);
    },
  };
}

// Filled while the checks run, never before they ask.
interface Facts {
  readonly authority: string;
  agent: AgentRecord | undefined;
  task: TaskRecord | undefined;
}
