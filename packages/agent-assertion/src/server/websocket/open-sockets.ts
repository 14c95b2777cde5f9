import type { Code } from "@countersign/agent-key";
import { REVOCATION_DELAY_SECONDS } from "../../directory/revocation-delay.js";
import { callHook, toRefused } from "../../verify/assertion-hooks.js";
import { AssertionRejected } from "../../verify/assertion-rejected.js";
import type { VerifiedAssertion } from "../../verify/verified-assertion.js";
import type { AgentRequest } from "../agent-middleware.js";
import type { MiddlewareOptions } from "../middleware-options.js";
import { reportError } from "../report-error.js";

/** What is used of a WebSocket of `ws`. */
export interface OpenSocket {
  close(status: number, reason: string): void;
  terminate(): void;
  once(event: "close", listener: () => void): unknown;
}

/** A socket that an agent opened. */
export interface AgentSocket {
  readonly socket: OpenSocket;
  readonly request: AgentRequest;
  readonly agent: VerifiedAssertion;
}

/** Options of {@link OpenSockets}. */
export interface OpenSocketsOptions
  extends Pick<MiddlewareOptions<AgentRequest>, "verifier" | "onError" | "onRefused"> {
  /** Milliseconds from one look to the next. */
  readonly recheckMs: number;
}

const POLICY_VIOLATION = 1008;
const GOING_AWAY = 1001;
// For the close frame to leave, and for the client to answer it.
const FAREWELL_MS = 1_000;
// A directory that does not answer for this long cannot vouch for anything that is open.
const LONGEST_LOOK_MS = REVOCATION_DELAY_SECONDS.most * 1000;

/** Looks again, on a timer, at the agents and tasks of open sockets, and closes the sockets of those that are no longer live. */
export class OpenSockets {
  readonly #options: OpenSocketsOptions;
  readonly #open = new Set<AgentSocket>();
  readonly #looking = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: OpenSocketsOptions) {
    this.#options = options;
  }

  add(opened: AgentSocket): void {
    this.#open.add(opened);
    opened.socket.once("close", () => this.#delete(opened));
    this.#timer ??= setInterval(() => this.#look(), this.#options.recheckMs);
  }

  #delete(closed: AgentSocket): void {
    this.#open.delete(closed);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    // One look serves all sockets of a task.
    const callers = new Map<string, VerifiedAssertion>();
    for (const { agent } of this.#open) callers.set(keyOf(agent), agent);
    for (const [key, agent] of callers) {
      if (!this.#looking.has(key)) void this.#lookAt(key, agent);
    }
  }

  async #lookAt(key: string, agent: VerifiedAssertion): Promise<void> {
    this.#looking.add(key);
    try {
      await withinDeadline((signal) => this.#options.verifier.recheck(agent, { signal }));
    } catch (error) {
      for (const opened of this.#open) {
        if (keyOf(opened.agent) === key) this.#close(opened, error);
      }
    } finally {
      this.#looking.delete(key);
    }
  }

  #close(opened: AgentSocket, error: unknown): void {
    const { socket, request } = opened;
    this.#delete(opened);
    const isRejected = AssertionRejected.is(error);
    const reason: Code = isRejected ? error.code : "server_error";
    const farewell = setTimeout(() => socket.terminate(), FAREWELL_MS);
    socket.once("close", () => clearTimeout(farewell));
    socket.close(isRejected ? POLICY_VIOLATION : GOING_AWAY, reason);
    const { onRefused, onError } = this.#options;
    callHook(onRefused, toRefused(error), request);
    reportError(onError, error, request);
  }
}

// No id holds a slash (protocol.md §3).
function keyOf({ agentRuntimeId, taskId }: VerifiedAssertion): string {
  return `${agentRuntimeId}/${taskId}`;
}

/** Does not rely on a directory to heed its signal. */
async function withinDeadline(look: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const gaveUp = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error("no answer in time"));
      gaveUp.abort();
    }, LONGEST_LOOK_MS);
  });
  try {
    await Promise.race([look(gaveUp.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
