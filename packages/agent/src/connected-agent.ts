import type { AgentIdentityManager } from "@countersign/agent-identity";
import type { CredentialSource } from "@countersign/agent-key";
import type { AgentTaskManager, AgentThread, OpenThreadOptions } from "@countersign/agent-task";

/** One thread of the agent. It holds nothing itself: any number of handles of one thread are the same thread. */
export interface ConnectedThread {
  /** The thread's id. */
  readonly id: string;
  /**
   * The source of this thread's credentials, for other transports than `fetch`, and for the helpers of `@countersign/ai`. Which URLs they sign
   * for, they are told by themselves; `close` does not wait for their requests.
   */
  readonly credentials: CredentialSource;
  /**
   * A `fetch` that signs requests to `origins` with the task of this thread, each when it is sent. It fits wherever a `fetch` is wanted, for
   * instance in an SDK. Requests to other URLs are sent as their caller made them, and a redirect to another URL carries no credential.
   *
   * It rejects with a `TaskRegistrationError` if there is no task, and with an `AgentTaskError` `not_logged_in` or `cancelled` (closed): nothing
   * is sent then. A 401 for the task is answered by one new task and one repetition, if the body can be sent again.
   *
   * @see `withAssertion` of `@countersign/agent-assertion/fetch`
   */
  readonly fetch: typeof globalThis.fetch;
  /**
   * Does one turn with the task of this thread, which is registered at the first one. Without a task the turn is not begun.
   *
   * @returns what the turn returned; what it throws passes through
   * @throws {TaskRegistrationError} this turn has no task; the next one tries again if the error is `retryable`
   * @throws {AgentTaskError} `not_logged_in`; `cancelled` once the agent was closed
   * @throws the reason of `options.signal`, once the caller ended the wait for the task
   */
  readonly run: AgentThread["run"];
  /**
   * Aborts once the agent cannot go on: with a `TaskRegistrationError` `agent_revoked` as its reason when the authority says so to a thread of
   * this process, and with an `AgentTaskError` `cancelled` after `close`. A task that is replaced by another one does not abort it. Nothing is
   * asked in the background.
   *
   * Take it inside of the turn, and keep it for that turn. After a revocation has aborted it, the next one that is taken is a fresh signal,
   * because the operator may have restored the agent: it aborts when the authority next refuses the agent.
   *
   * Taken inside of `run`, it is that of the turn's agent alone. Taken elsewhere, it aborts when any agent of this program is refused. There are
   * several if `accessToken` returns the tokens of several humans.
   */
  readonly signal: AbortSignal;
}

/** A connected agent. `await using` closes it. */
export interface ConnectedAgent extends AsyncDisposable {
  /**
   * The handle of a thread: one conversation, one job.
   *
   * @param id - the program's own name of the thread, 1 to 256 characters. It reaches no path, no URL and no authority.
   * @param options - `label`: what an operator of the authority finds the thread by. It is no secret. Default none.
   * @throws {AgentKeyError} `invalid_request` if the id is not a valid thread id (docs/protocol.md §3), or the label is not one (T-14)
   */
  thread(id: string, options?: OpenThreadOptions): ConnectedThread;
  /**
   * Does work in a thread: every request that it makes with the agent's own `fetch` is signed with the task of this thread, however deep in the
   * code of others it is made. See `AgentTaskManager.inThread`. `close` waits for the work if its result is a plain promise, as that of an async
   * function is.
   *
   * What an async generator does belongs to the thread in which it is consumed, not to that in which it was made.
   *
   * @param id - as of `thread`
   * @returns what the work returned, a promise as it is
   * @throws {AgentKeyError} `invalid_request` if the id is not a valid thread id (docs/protocol.md §3)
   */
  inThread<T>(id: string, work: () => T): T;
  /**
   * A `fetch` for a client that is made once and serves many threads: as that of a thread, but each request is one of the thread in which it is
   * made, by `inThread`. Outside of every thread it rejects with an `AgentTaskError` `config_invalid`, and nothing is sent to `origins`.
   */
  readonly fetch: typeof globalThis.fetch;
  /** The source of the credentials of the thread in which a request is made. See `credentials` of a thread, and `inThread`. */
  readonly credentials: CredentialSource;
  /** What keeps the agent: for a rotation of its key, or to look at it without a request. */
  readonly identities: AgentIdentityManager;
  /** What keeps the tasks: for their events, their list, and to forget one. */
  readonly tasks: AgentTaskManager;
  /**
   * Refuses new turns, waits for those in flight and for the answers to requests in flight, then ends what is left. Work of `inThread` that began
   * before counts as a turn if its result is a plain promise; any other work is waited for only while it has a request in flight. Do not wait
   * for `close` inside of a turn. A second call waits for the same.
   */
  close(): Promise<void>;
}
