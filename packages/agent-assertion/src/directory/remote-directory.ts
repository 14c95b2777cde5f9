import {
  isServerId,
  numberIn,
  type OptionShape,
  parseAuthority,
  untilAborted,
} from "@countersign/agent-key";
import { type Fetch, platformFetch } from "@countersign/agent-key/platform-fetch";
import { AgentAssertionError } from "../agent-assertion-error.js";
import {
  AUTHORITY_URL,
  CLOCK,
  checkOption,
  checkOptions,
  FETCH,
  FLAG,
  LISTENER,
} from "../internal/options.js";
import { createUseReport, USE_REPORT_PATH } from "../schema/use-report.js";
import type { AgentDirectory, AgentRecord, TaskRecord } from "./agent-directory.js";
import { DirectoryClient, type DirectoryReply, type Question } from "./directory-client.js";
import type { DirectoryEvent } from "./directory-event.js";
import { OutageBackoff } from "./outage-backoff.js";
import { type Asked, createTurns, RecordCache, type Refreshed } from "./record-cache.js";
import { REVOCATION_DELAY_SECONDS } from "./revocation-delay.js";
import { type UseReportEvent, UseReporter } from "./use-reporter.js";

const USE_REPORT_SECONDS = 60;
// As long as a revocation, the return of the authority may go unnoticed.
const MAX_BACKOFF_MS = REVOCATION_DELAY_SECONDS.default * 1000;

const SHAPES: Readonly<Record<string, OptionShape>> = {
  token: { type: "text", expected: "an access token, a text that is not empty", optional: true },
  revocationDelaySeconds: numberIn(0, REVOCATION_DELAY_SECONDS.most, { fraction: true }),
  staleIfErrorSeconds: numberIn(0, 3600, { fraction: true }),
  maxEntries: numberIn(1, 10_000_000),
  deadlineMs: numberIn(1, 600_000, { fraction: true }),
  useReportSeconds: numberIn(0, 3600, { fraction: true }),
  onLookup: LISTENER,
  onUseReport: LISTENER,
  onClock: LISTENER,
  fetch: FETCH,
  insecureHttp: FLAG,
  now: CLOCK,
};

/** Options of {@link remoteDirectory}. */
export interface RemoteDirectoryOptions {
  /** An access token of role `resource_server`. Secret. Sent to the authority alone. Default: none, for an authority on loopback. */
  readonly token?: string | undefined;
  /** How long an answer is used before the authority is asked again, seconds. 0 to 30. Default 15. A revocation is seen this much later at most. */
  readonly revocationDelaySeconds?: number | undefined;
  /**
   * How long after the question of its last good answer a record is still used while the authority cannot be reached or answers 5xx, seconds.
   * 0 to 3600. Default 300. During an outage a revocation is seen this much later at most; 0 refuses instead.
   */
  readonly staleIfErrorSeconds?: number | undefined;
  /**
   * How many agents, and how many tasks, are kept. 1 or more. Default 10,000. When there are more, the account with the most loses those that
   * were used longest ago: an account that makes up agents and tasks does not push out those of others.
   */
  readonly maxEntries?: number | undefined;
  /** How long one request to the authority may take, milliseconds. 1 or more. Default 5000. */
  readonly deadlineMs?: number | undefined;
  /**
   * How often the authority is told which agents and tasks were used, seconds. 0 to 3600. Default 60; 0: never. Of each agent the last use is
   * reported, of each task the first one and then one in ten minutes. No request waits for a report. If the authority is away or busy, at most
   * 10,000 uses are kept, and others dropped. In Workers, which run nothing between requests, none are reported.
   */
  readonly useReportSeconds?: number | undefined;
  /** Called with each report of uses, for metrics. What it throws becomes a process warning. Default: not called. */
  readonly onUseReport?: ((event: UseReportEvent) => void) | undefined;
  /** Called with each lookup, for metrics. What it throws becomes a process warning. Default: not called. */
  readonly onLookup?: ((event: DirectoryEvent) => void) | undefined;
  /**
   * Called with each answer of the authority that has a `Date`: by how many milliseconds the authority's clock is ahead of this one at least;
   * negative if it is behind. What it throws becomes a process warning. Default: not called.
   */
  readonly onClock?: ((aheadMs: number) => void) | undefined;
  /**
   * What sends the requests, for instance by way of a private CA. Default {@link platformFetch}: the platform's `fetch`, by the proxies of the
   * environment if Node was told to use them (`NODE_USE_ENV_PROXY=1`), and by none to an authority on loopback.
   */
  readonly fetch?: Fetch | undefined;
  /** Allows plain `http` to another machine. Default false. Anyone on the network path can then make up agents. */
  readonly insecureHttp?: boolean | undefined;
  /** The clock, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** A directory that keeps what its authority answered. */
export interface RemoteDirectory extends AgentDirectory {
  /** Returns how many agents and how many tasks it keeps, for a figure. */
  kept(): { readonly agents: number; readonly tasks: number };
}

/**
 * Makes a directory that asks the authority and keeps its answers for a bounded time.
 *
 * While the authority cannot be reached or does not answer in time, lookups that a stale record may serve do not wait for it. One of them asks
 * from time to time: after 1 s at first, later after `revocationDelaySeconds` (15 s at most). The others are served at once. A lookup without a
 * usable record always asks.
 *
 * If a signature is not valid under any key of a kept record (`insteadOf`), the directory asks the authority again, at most once in 5 s for each
 * agent whose keys are still the same. So a verifier takes a new key of an agent from its first request on.
 *
 * Lookups reject with an `AgentAssertionError`: `unreachable`, `timeout`, `server_error`, `rate_limited` (all `retryable`),
 * `unauthenticated` or `forbidden` (the token), `invalid_request`, `refused`, `bad_response`, or another code that the authority's refusal
 * named; `cancelled` when the caller's signal ended the wait.
 *
 * @param authority - base URL of the authority: https, or http to a loopback host
 * @throws {AgentKeyError} `config_invalid` for the authority
 * @throws {AgentAssertionError} `config_invalid`, naming the option, if one is wrong, for instance a token with other than visible ASCII characters
 * @see protocol.md §5.8; security.md, "Revocation has a bound"
 */
export function remoteDirectory(
  authority: string,
  options: RemoteDirectoryOptions = {},
): RemoteDirectory {
  checkOption("authority", authority, AUTHORITY_URL);
  checkOptions(options, SHAPES);
  const base = parseAuthority(authority, { insecureHttp: options.insecureHttp }, "authority");
  const revocationDelayMs =
    (options.revocationDelaySeconds ?? REVOCATION_DELAY_SECONDS.default) * 1000;
  const now = options.now ?? Date.now;
  const bounds = {
    maxEntries: options.maxEntries ?? 10_000,
    revocationDelayMs,
    staleIfErrorMs: (options.staleIfErrorSeconds ?? 300) * 1000,
    now,
    ask: createTurns(now),
    // No longer, so that a revocation is seen within the delay again once the authority is back.
    backoff: new OutageBackoff(Math.min(revocationDelayMs, MAX_BACKOFF_MS)),
    tell: tellOf(options.onLookup),
  };
  const client = new DirectoryClient({
    authority: base,
    token: visibleAscii(options.token),
    deadlineMs: options.deadlineMs ?? 5000,
    fetch: options.fetch ?? platformFetch,
    now: bounds.now,
    onClock: tellOf(options.onClock),
  });
  const everyMs = (options.useReportSeconds ?? USE_REPORT_SECONDS) * 1000;
  const uses =
    everyMs === 0
      ? undefined
      : new UseReporter({
          everyMs,
          now: bounds.now,
          send: (batch) => client.report(USE_REPORT_PATH, createUseReport(batch, bounds.now())),
          tell: tellOf(options.onUseReport),
        });
  const agents = new RecordCache<AgentRecord>({ ...bounds, about: "agent", isOther: hasOtherKeys });
  const tasks = new RecordCache<TaskRecord>({ ...bounds, about: "task" });

  async function askAgent(id: string, question: Question): Promise<Refreshed<AgentRecord>> {
    const reply = forAgent(id, await client.ask(agentPath(id), question));
    if (reply.kind === "unknown_agent") return { kind: "absent" };
    if (reply.kind !== "record") return reply;
    const { agent } = reply.answer;
    return { ...reply, value: agent, owner: agent.accountId };
  }

  async function askTask(
    agentId: string,
    id: string,
    question: Question,
    asked: Asked,
  ): Promise<Refreshed<TaskRecord>> {
    const path = `${agentPath(agentId)}/task/${encodeURIComponent(id)}`;
    const reply = forAgent(agentId, await client.ask(path, question));
    if (reply.kind === "unknown_agent") {
      agents.drop(agentId, asked);
      return { kind: "absent" };
    }
    if (reply.kind !== "record") return reply;
    const { agent, task } = reply.answer;
    // The answer has the agent's record too, so the end of the agent is seen no later than that of the task.
    if (agent.state !== "active") agents.put(agentId, agent, agent.accountId, asked);
    if (task === undefined) return { kind: "absent" };
    return task.taskId === id ? { ...reply, value: task, owner: agent.accountId } : mismatch();
  }

  return {
    authority: base,
    async agent(agentRuntimeId, { signal, insteadOf, requestId } = {}) {
      if (!isServerId(agentRuntimeId)) return undefined;
      const ask = (etag: string | undefined) => askAgent(agentRuntimeId, { etag, requestId });
      const record = agents.get(agentRuntimeId, ask, insteadOf);
      return untilAborted(record, signal, cancelled);
    },
    async task(agentRuntimeId, taskId, { signal, requestId } = {}) {
      if (!isServerId(agentRuntimeId) || !isServerId(taskId)) return undefined;
      const record = tasks.get(`${agentRuntimeId}/${taskId}`, (etag, asked) =>
        askTask(agentRuntimeId, taskId, { etag, requestId }, asked),
      );
      return untilAborted(record, signal, cancelled);
    },
    kept: () => ({ agents: agents.size, tasks: tasks.size }),
    ...(uses && { noteUse: (agentRuntimeId, taskId) => uses.note(agentRuntimeId, taskId) }),
    async close() {
      await uses?.close();
      client.close();
    },
  };
}

function hasOtherKeys(before: AgentRecord, after: AgentRecord): boolean {
  const linesOf = ({ publicKeys }: AgentRecord) => publicKeys.map(({ line }) => line).join();
  return linesOf(before) !== linesOf(after);
}

function agentPath(id: string): string {
  return `/v1/agent/${encodeURIComponent(id)}`;
}

// An answer about another agent would put its key under this one's id.
function forAgent(id: string, reply: DirectoryReply): DirectoryReply {
  return reply.kind === "record" && reply.answer.agent.agentRuntimeId !== id ? mismatch() : reply;
}

function mismatch(): Extract<DirectoryReply, { kind: "failed" }> {
  const error = new AgentAssertionError(
    "bad_response",
    "the directory answered about another agent or task than was asked for",
  );
  return { kind: "failed", error, isOutage: false };
}

function tellOf<T>(listener: ((event: T) => void) | undefined): (event: T) => void {
  return (event) => {
    try {
      listener?.(event);
    } catch (fault) {
      // The listener's fault is not the lookup's, and must not pass unseen either.
      process.emitWarning(fault instanceof Error ? fault : String(fault));
    }
  };
}

// The question goes on for the others who wait for it.
function cancelled(reason: unknown): AgentAssertionError {
  return new AgentAssertionError("cancelled", "the lookup was cancelled", { cause: reason });
}

function visibleAscii(token: string | undefined): string | undefined {
  if (token === undefined || /^[!-~]+$/.test(token)) return token;
  throw new AgentAssertionError("config_invalid", "token must be visible ASCII characters", {
    hint: "take it without a line break at its end",
  });
}
