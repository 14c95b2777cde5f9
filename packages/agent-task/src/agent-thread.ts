import type {
  Credential,
  CredentialOptions,
  CredentialRefusal,
  CredentialSource,
} from "@countersign/agent-key";
import type { AgentTask, TaskScope } from "./agent-task.js";
import { withCallersReason } from "./internal/callers-reason.js";

/** What a turn is done with. After a refusal that was recovered from, both are the new ones. */
export interface Turn {
  /** The task; absent while the feature is off, or in a fallback to the human's token. */
  readonly task?: AgentTask | undefined;
  /** What its requests are authorised with. */
  readonly credential: Credential;
}

/** Options of the calls of {@link AgentThread}. */
export interface ThreadOptions {
  /** Ends the caller's waiting for a task; `run` and `ensure` then reject with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Time to get a task, where it is less than the manager's `deadlineMs`. Milliseconds, from 0. */
  readonly deadlineMs?: number | undefined;
  /**
   * Milliseconds for which it is remembered, for all threads, that the authority is away: until then calls with this option that need a
   * registration reject at once, with the same code. Then one of them asks the authority again. For callers whose own callers repeat often, as
   * the signing proxy's do. From 0. Default: each call asks.
   */
  readonly outageMs?: number | undefined;
  /**
   * The id of the request that this is for. A registration that this caller starts sends it to the authority as `X-Request-Id`, if a server takes
   * such an id (`isRequestId` of `agent-key/redaction`). Default none.
   */
  readonly requestId?: string | undefined;
}

/** Options of {@link AgentThread}, and of what makes one. */
export interface OpenThreadOptions {
  /**
   * What the thread's tasks are called at the authority, so that an operator finds them by it (`countersign authority find`). 1 to 64 characters
   * that are shown. It is no secret, and no decision rests on it. Default: as the stored thread has it, otherwise none. A task that is
   * registered already keeps its label.
   */
  readonly label?: string | undefined;
}

/** What a thread needs of its manager. */
export interface ThreadParts {
  ensure(scope: TaskScope, options?: ThreadOptions): Promise<AgentTask | undefined>;
  prewarm(scope: TaskScope): void;
  forget(scope: TaskScope): Promise<boolean>;
  thread(id: string, options?: OpenThreadOptions): AgentThread;
  /** Gives the thread a label unless it was given one before. */
  keepLabel(scope: TaskScope, label: string): void;
  readonly credentials: ThreadCredentials;
}

/** Gives the credentials of all threads, and handles their refusals. */
export interface ThreadCredentials {
  turn(scope: TaskScope, options?: ThreadOptions): Promise<Turn>;
  /** What a turn that was begun with this is done with now: the same, unless a recovery replaced its task. */
  current(scope: TaskScope, begun: Turn): Turn;
  refused(
    scope: TaskScope,
    credential: Credential,
    refusal: CredentialRefusal,
    options?: ThreadOptions,
  ): Promise<Credential | undefined>;
  accepted(scope: TaskScope, credential: Credential, origin: string): void;
}

/**
 * The handle of one thread, or of the run: what harness code keeps beside its conversation.
 *
 * It is the `CredentialSource` that the transports of `@countersign/agent-assertion` take. It holds nothing itself but the label that it
 * was made with: any number of handles of one thread are the same thread.
 */
export class AgentThread implements CredentialSource {
  /** The thread's id, or `RUN`. */
  readonly id: TaskScope;
  readonly #own: ThreadParts;
  readonly #label: string | undefined;

  /** @internal */
  constructor(id: TaskScope, parts: ThreadParts, label?: string) {
    this.id = id;
    this.#own = parts;
    this.#label = label;
  }

  // What is in memory of a thread may have been dropped since this handle was made.
  get #parts(): ThreadParts {
    if (this.#label !== undefined) this.#own.keepLabel(this.id, this.#label);
    return this.#own;
  }

  /** Registers the task ahead of time, for instance while the human is still typing. Never fails: a turn tries again by itself. */
  prewarm(): void {
    this.#parts.prewarm(this.id);
  }

  /**
   * The task of this thread, registered at first use. See `AgentTaskManager.ensure`.
   *
   * @throws {AgentKeyError} `config_invalid` if an option is wrong, as for every call of this handle with options
   * @throws {TaskRegistrationError} this turn has no task; the next one tries again
   */
  ensure(options?: ThreadOptions): Promise<AgentTask | undefined> {
    return this.#parts.ensure(this.id, options);
  }

  /**
   * Does one turn with the thread's task. Without a task (and without a declared fallback) the turn is not begun.
   *
   * @returns what the turn returned; what it throws passes through
   * @throws {TaskRegistrationError} this turn has no task; the next one tries again
   * @throws {AgentTaskError} `not_logged_in`
   * @throws the reason of `signal`, once the caller ended the wait for the task
   */
  async run<T>(turn: (turn: Turn) => Promise<T>, options?: ThreadOptions): Promise<T> {
    const { credentials } = this.#parts;
    const begun = await withCallersReason(options?.signal, () =>
      credentials.turn(this.id, options),
    );
    const { id } = this;
    return await turn({
      get task() {
        return credentials.current(id, begun).task;
      },
      get credential() {
        return credentials.current(id, begun).credential;
      },
    });
  }

  /**
   * Returns what to authorise a request with now: the agent with this thread's task. While the feature is off, or in a declared fallback, it is
   * the human's token for `bearerOrigins`. While the feature is off and `bearerOrigins` is empty, its kind is `none`.
   *
   * @throws {TaskRegistrationError} if no task could be had
   * @throws {AgentTaskError} `not_logged_in` if there is no login, or only an agent's login while a human's token is needed
   */
  async credential(options?: CredentialOptions): Promise<Credential> {
    return (await this.#parts.credentials.turn(this.id, options)).credential;
  }

  /**
   * Takes a resource server's 401 and does what protocol §10 prescribes. Each origin can cause at most one new task, until it answers a request
   * with another status or 10 minutes have passed.
   *
   * @returns the credential to send the request with once more; `undefined` if the caller must hand the 401 up
   * @throws {TaskRegistrationError} if the recovery failed; `agent_revoked` if the authority itself says so
   */
  refused(
    credential: Credential,
    refusal: CredentialRefusal,
    options?: CredentialOptions,
  ): Promise<Credential | undefined> {
    return this.#parts.credentials.refused(this.id, credential, refusal, options);
  }

  /** To be called if an origin answered with any status but 401: the next refusal of this origin may then be recovered from again. */
  accepted(credential: Credential, origin: string): void {
    this.#parts.credentials.accepted(this.id, credential, origin);
  }

  /**
   * The handle of a fork: a thread of its own, with a task of its own.
   *
   * @throws {AgentKeyError} `invalid_request` if the id is not a valid thread id (docs/protocol.md §3), or the label is not one
   */
  fork(id: string, options?: OpenThreadOptions): AgentThread {
    return this.#parts.thread(id, options);
  }

  /** Forgets the thread's tasks here and in the store. See `AgentTaskManager.forget`. */
  forget(): Promise<boolean> {
    return this.#parts.forget(this.id);
  }
}

/** What to do when a thread has no task: `fail` the turn, or go on as the human where that is declared. */
export type FailurePolicy = "fail" | "bearer";
