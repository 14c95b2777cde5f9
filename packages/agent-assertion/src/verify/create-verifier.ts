import { numberIn, type OptionShape } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import {
  type BindingOptions,
  type BindingSettings,
  settleBinding,
} from "../binding/binding-policy.js";
import type { RequestFacts } from "../binding/request-facts.js";
import type { AgentDirectory, AgentRecord, TaskRecord } from "../directory/agent-directory.js";
import { CLOCK, checkOptions, checkPolicy, DIRECTORY, HOOKS } from "../internal/options.js";
import { type AssertionHooks, callHook } from "./assertion-hooks.js";
import type { AssertionVerifier, VerifyOptions } from "./assertion-verifier.js";
import { DEFAULT_MAX_SKEW_SECONDS, type NeededFact, runChecks } from "./check-assertion.js";
import {
  rejected,
  requireAllowed,
  requireKnownAgent,
  requireLiveAgent,
  requireLiveTask,
} from "./check-steps.js";
import { FirstLookups } from "./first-lookups.js";
import { type LookupLimitOptions, resolveLookupLimits } from "./lookup-limits.js";
import { observeVerifier } from "./observe-verifier.js";
import type { ParsedAssertion } from "./parse-assertion.js";
import { SignatureCache } from "./signature-cache.js";
import type { AssertionPolicy } from "./verified-assertion.js";

export type {
  AssertionVerifier,
  ProvenCaller,
  VerifierBinding,
  VerifyOptions,
} from "./assertion-verifier.js";

const LARGEST_SKEW_SECONDS = 3600;
const MAX_CACHED_SIGNATURES = 10_000;

const SHAPES: Readonly<Record<string, OptionShape>> = {
  directory: DIRECTORY,
  maxSkewSeconds: numberIn(0, LARGEST_SKEW_SECONDS, { fraction: true }),
  now: CLOCK,
  binding: { type: "object", expected: "an object with the policy of bindings", optional: true },
  lookups: { type: "object", expected: "an object with limits of lookups", optional: true },
  ...HOOKS,
};

/** Options of {@link createVerifier}. Its hooks are called for each `verify`, and `onRefused` for each `recheck` that refuses too. */
export interface CreateVerifierOptions extends AssertionHooks {
  /** Where to look up agents and tasks: the one authority that this verifier trusts. */
  readonly directory: AgentDirectory;
  /** Seconds that the two clocks may differ, both ends included. 0 to 3600. Default 300. A larger value lets a captured assertion live longer. */
  readonly maxSkewSeconds?: number | undefined;
  /** The clock, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  readonly policy?: AssertionPolicy | undefined;
  /** How requests are treated that the agent bound to its assertion. Default: bindings are not looked at. */
  readonly binding?: BindingOptions | undefined;
  /** What callers without any key can make the directory do. */
  readonly lookups?: LookupLimitOptions | undefined;
}

/**
 * Makes the verifier of one authority's assertions.
 *
 * It remembers which signatures were valid, and what those fields say (the last 10,000). It checks time, states and policy for every request.
 * It has no state that needs closing; the directory may have.
 *
 * An id of an agent or a task is known once a signature was valid under it (the last 10,000 of either kind). Known ids are looked up at once. All
 * others are looked up a few at a time, in turn by `source` (tasks: by account), and requests beyond `lookups` are refused. So a flood of
 * invented ids does not delay requests with known ids, and of the others it delays only those from the same source.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the option, if one is missing or wrong, or `binding` lacks its `publicUrl` or `replayStore`
 * @see protocol.md §8
 */
export function createVerifier(options: CreateVerifierOptions): AssertionVerifier {
  checkOptions(options, SHAPES);
  checkPolicy(options.policy);
  const { directory, policy, maxSkewSeconds = DEFAULT_MAX_SKEW_SECONDS, now = Date.now } = options;
  const signatures = new SignatureCache(MAX_CACHED_SIGNATURES);
  const settings = settleBinding(options.binding);
  const limits = resolveLookupLimits(options.lookups);
  const firstAgents = new FirstLookups(limits, now);
  const firstTasks = new FirstLookups(limits, now);
  const noteUse = directory.noteUse?.bind(directory);

  function findAgent(
    { agentRuntimeId }: ParsedAssertion,
    { source, signal, requestId }: VerifyOptions,
    insteadOf: AgentRecord | undefined,
  ): Promise<AgentRecord | undefined> {
    const ask = (asked: AbortSignal | undefined) =>
      directory.agent(agentRuntimeId, { signal: asked, insteadOf, requestId });
    if (firstAgents.isProven(agentRuntimeId)) return ask(signal);
    return firstAgents.run({ id: agentRuntimeId, source, signal, ask });
  }

  async function findTask(
    { agentRuntimeId, taskId }: ParsedAssertion,
    accountId: string,
    { signal, requestId }: VerifyOptions,
  ): Promise<TaskRecord | undefined> {
    // No id holds a slash (protocol.md §3).
    const id = `${agentRuntimeId}/${taskId}`;
    const ask = (asked: AbortSignal | undefined) =>
      directory.task(agentRuntimeId, taskId, { signal: asked, requestId });
    if (firstTasks.isProven(id)) return ask(signal);
    const task = await firstTasks.run({ id, source: accountId, signal, ask });
    if (task !== undefined) firstTasks.prove(id, accountId);
    return task;
  }

  const verifier: AssertionVerifier = {
    authority: directory.authority,
    binding: settings && { policy: settings.policy, maxBodyBytes: settings.maxBodyBytes },
    async verify(header, callOptions = {}) {
      const { request } = callOptions;
      const parsed = signatures.parse(header);
      const facts: Facts = { authority: directory.authority };
      const checks = runChecks(
        parsed,
        facts,
        { now: now(), maxSkewSeconds, policy },
        (p, agent) => signatures.isSigned(p, agent),
        settings && { request, settings },
      );
      for (let step = checks.next(); ; step = checks.next()) {
        if (step.done === true) {
          callHook(noteUse, parsed.agentRuntimeId, parsed.taskId);
          return step.value;
        }
        const needed = step.value;
        const { agentRuntimeId, taskId } = parsed;
        if (needed.name === "agent") {
          facts.agent = await findAgent(parsed, callOptions, needed.insteadOf);
        } else if (needed.name === "task") {
          const { accountId, userId } = needed.agent;
          firstAgents.prove(agentRuntimeId, accountId);
          callOptions.onProven?.({ agentRuntimeId, taskId, accountId, userId });
          facts.task = await findTask(parsed, accountId, callOptions);
        } else if (needed.name === "body") {
          facts.body = await readBody(request, settings);
        } else {
          // Reading the body may have taken longer than spent nonces are kept.
          if (!(now() <= needed.expiresAt)) throw rejected("expired", parsed, facts.agent);
          facts.isFirst = await spend(directory.authority, parsed, needed, settings);
        }
      }
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
  return observeVerifier(verifier, options);
}

// Filled while the checks run, never before they ask.
interface Facts {
  readonly authority: string;
  agent?: AgentRecord | undefined;
  task?: TaskRecord | undefined;
  body?: Uint8Array | undefined;
  isFirst?: boolean | undefined;
}

async function readBody(
  request: RequestFacts | undefined,
  settings: BindingSettings | undefined,
): Promise<Uint8Array | undefined> {
  const maxBytes = settings?.maxBodyBytes ?? 0;
  const body = await request?.body(maxBytes);
  if (body !== undefined && body.length > maxBytes) {
    throw new AgentAssertionError("invalid_request", "the body of a bound request is too long", {
      hint: `at most ${maxBytes} bytes are read to be compared with their digest`,
    });
  }
  return body;
}

async function spend(
  authority: string,
  { agentRuntimeId }: ParsedAssertion,
  { nonce, expiresAt }: Extract<NeededFact, { name: "nonce" }>,
  settings: BindingSettings | undefined,
): Promise<boolean | undefined> {
  try {
    return await settings?.replayStore.spend({ authority, agentRuntimeId, nonce, expiresAt });
  } catch (cause) {
    throw new AgentAssertionError("server_error", "the replay store cannot take the nonce", {
      cause,
      hint: "try again later",
      retryable: true,
    });
  }
}
