import { channel } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import type { AgentIdentityManager } from "@countersign/agent-identity";
import { AuthorityClock } from "@countersign/agent-identity/authority-client";
import {
  type Code,
  type CredentialSource,
  parseOrigin,
  parseScopeId,
  parseThreadLabel,
} from "@countersign/agent-key";
import { type AgentTask, RUN, type TaskScope } from "./agent-task.js";
import {
  AgentThread,
  type FailurePolicy,
  type OpenThreadOptions,
  type ThreadOptions,
} from "./agent-thread.js";
import { withCallersReason } from "./internal/callers-reason.js";
import { CredentialRules } from "./internal/credential-rules.js";
import { CurrentThread } from "./internal/current-thread.js";
import { checkOptions, PATIENCE, TASK_MANAGER_OPTIONS } from "./internal/options.js";
import { TaskKeeper } from "./internal/task-keeper.js";
import { timersOf } from "./internal/task-timers.js";
import type { StoredThread } from "./schema/stored-thread.js";
import { memoryTaskStore } from "./store/memory-task-store.js";
import type { TaskStore } from "./store/task-store.js";
import { type AgentTaskEvents, type EmitTaskEvent, TASK_CHANNEL } from "./task-events.js";

const DEFAULT_DEADLINE_MS = 30_000;
const DEFAULT_RENEW_BEFORE_MS = 60_000;

/** Options of {@link AgentTaskManager}. */
export interface AgentTaskManagerOptions {
  /** Gives the agent whose tasks these are. */
  readonly identities: AgentIdentityManager;
  /** Keeps the tasks of threads. Default: this process's memory. */
  readonly store?: TaskStore | undefined;
  /**
   * What a thread does if it cannot get a task. `fail` (default): its turn fails. `bearer`: the turn goes on with the human's own token, sent
   * to `bearerOrigins` only. This happens only while the authority times out, cannot be reached, fails or is busy, and never after a refusal.
   * The event `fallback` reports it.
   */
  readonly onFailure?: FailurePolicy | undefined;
  /**
   * The only origins that the human's token may go to, for both reasons: while the feature is off, and in a fallback. Default none: with the
   * feature off requests then go out as their caller made them, and the fallback never happens.
   */
  readonly bearerOrigins?: readonly string[] | undefined;
  /** Time for one turn to get its task, all attempts and the agent's own registration included. Milliseconds. Default 30,000. */
  readonly deadlineMs?: number | undefined;
  /** How long before its end a task is replaced, but at most a quarter of its lifetime. Milliseconds. Default 60,000. */
  readonly renewBeforeMs?: number | undefined;
  /** Clock, epoch ms. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Registers one task for each thread of the agent and keeps it for the life of the thread: one round trip, then none.
 *
 * A thread's task is stored, so that a resumed thread continues it, and revalidated against the current agent before every use. A failed
 * registration fails one turn of one thread; the next turn tries again, and other threads do not notice.
 *
 * @see docs/protocol.md §5.5, §10
 */
export class AgentTaskManager extends EventEmitter<AgentTaskEvents> {
  readonly #keeper: TaskKeeper;
  readonly #rules: CredentialRules;
  readonly #current: CurrentThread;

  /** @throws {AgentKeyError} `config_invalid`, naming the option, if one is missing or wrong */
  constructor(options: AgentTaskManagerOptions) {
    super();
    checkOptions(options, TASK_MANAGER_OPTIONS);
    const emit: EmitTaskEvent = (event, payload) => this.#tell(event, payload);
    this.#keeper = new TaskKeeper({
      identities: options.identities,
      store: options.store ?? memoryTaskStore(),
      clock: new AuthorityClock(options.now ?? Date.now),
      deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
      renewBeforeMs: options.renewBeforeMs ?? DEFAULT_RENEW_BEFORE_MS,
      timers: timersOf(options),
      emit,
    });
    this.#rules = new CredentialRules({
      keeper: this.#keeper,
      onFailure: options.onFailure ?? "fail",
      bearerOrigins: (options.bearerOrigins ?? []).map((origin) =>
        parseOrigin(origin, {}, "bearerOrigins"),
      ),
    });
    this.#current = new CurrentThread({
      isOn: () => options.identities.enabled,
      run: () => this.run(),
    });
  }

  /**
   * Returns the task of a scope for the current agent: from memory, otherwise from the store, otherwise newly registered. Concurrent calls
   * share one registration.
   *
   * @returns the task; `undefined` if the feature is off or there is no login
   * @throws {AgentKeyError} `invalid_request` if the scope is neither a valid thread id nor `RUN`; `config_invalid` if an option is wrong
   * @throws {TaskRegistrationError} if no task could be had for this turn; see its `code`, `retryable` and `hint`
   * @throws the reason of `signal` if the caller ended the call
   */
  ensure(scope: TaskScope, options: ThreadOptions = {}): Promise<AgentTask | undefined> {
    return withCallersReason(options.signal, async () => {
      checkOptions(options, PATIENCE);
      return await this.#keeper.ensure(scope, options);
    });
  }

  /**
   * Registers the task of a scope ahead of time. If that fails, the event `failed` reports it, and no turn fails because of it.
   *
   * @throws {AgentKeyError} `invalid_request` if the scope is neither a valid thread id nor `RUN`
   */
  prewarm(scope: TaskScope): void {
    this.#keeper.prewarm(scope);
  }

  /** Returns the task of a scope if the current agent has one, in memory or in the store. Never touches the network. */
  peek(scope: TaskScope): Promise<AgentTask | undefined> {
    return this.#keeper.peek(scope);
  }

  /**
   * Drops a task that was refused, if it is still the current one of its scope (compare and set). The next registration replaces it.
   *
   * @param code - why, for the event `discarded`
   * @returns whether it was the current one, here or in the store
   */
  invalidate(task: AgentTask, code: Code | undefined): Promise<boolean> {
    return this.#keeper.invalidate(task, code);
  }

  /**
   * Forgets every task of a scope, in memory and in the store. A task whose registration is under way is not kept either. Nothing is sent to
   * the authority: as long as the task lives there, the same agent gets the same task for the same thread again.
   *
   * @returns whether there was anything to forget
   */
  forget(scope: TaskScope): Promise<boolean> {
    return this.#keeper.forget(scope);
  }

  /** Every stored thread. With a store that cannot list: those that this manager has seen. */
  list(): Promise<StoredThread[]> {
    return this.#keeper.list();
  }

  /**
   * The handle of a thread. With a label it is that of every handle of this thread, until another label is given.
   *
   * @throws {AgentKeyError} `invalid_request` if the id is not a valid thread id (docs/protocol.md §3), or the label is not one (T-14)
   */
  thread(id: string, { label }: OpenThreadOptions = {}): AgentThread {
    const scope = parseScopeId(id);
    if (label !== undefined) this.#keeper.state(scope).label = parseThreadLabel(label);
    return this.#handle(scope, label);
  }

  /** The handle of this process: one task for everything that belongs to no thread. Never stored. */
  run(): AgentThread {
    return this.#handle(RUN);
  }

  /**
   * Does work in a thread: a request that it makes with {@link AgentTaskManager.currentThread}, however deep in the code of others, is one of this
   * thread. Within the work another thread may be entered; after it the outer one goes on.
   *
   * The thread is that of the asynchronous context (`AsyncLocalStorage`): it follows promises, timers and streams that begin in the work. A
   * queue or pool that was filled outside of it runs outside of it. What an async generator does belongs to the thread in which it is consumed,
   * not to that in which it was made. No task is registered before the first request.
   *
   * @param scope - a thread's id, or `RUN`: the task of this process
   * @returns what the work returned, a promise as it is
   * @throws {AgentKeyError} `invalid_request` when the id is not a valid thread id (docs/protocol.md §3)
   */
  inThread<T>(scope: TaskScope, work: () => T): T {
    const thread = scope === RUN ? this.run() : this.thread(scope);
    return this.#current.in(thread, work);
  }

  /**
   * The source of credentials for a client that is made once and used by many threads: each request is one of the thread in which it is made,
   * see {@link AgentTaskManager.inThread}. Outside of every thread its `credential` rejects with `config_invalid`, and the request is not sent; while
   * the feature is off, it is sent as that of any thread.
   */
  currentThread(): CredentialSource {
    return this.#current;
  }

  /** Ends what is on its way; calls after it reject with `cancelled`. */
  close(): Promise<void> {
    return this.#keeper.close();
  }

  #handle(scope: TaskScope, label?: string): AgentThread {
    const parts = {
      ensure: (id: TaskScope, options?: ThreadOptions) => this.ensure(id, options),
      prewarm: (id: TaskScope) => this.prewarm(id),
      forget: (id: TaskScope) => this.forget(id),
      thread: (id: string, options?: OpenThreadOptions) => this.thread(id, options),
      keepLabel: (id: TaskScope, kept: string) => {
        this.#keeper.state(id).label ??= kept;
      },
      credentials: this.#rules,
    };
    return new AgentThread(scope, parts, label);
  }

  #tell<K extends keyof AgentTaskEvents>(event: K, payload: AgentTaskEvents[K][0]): void {
    try {
      emitOn(this, event, payload);
    } catch (error) {
      // A listener's fault is not the registration's, and must not pass unseen either.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
    const diagnostics = channel(TASK_CHANNEL);
    if (diagnostics.hasSubscribers) diagnostics.publish({ event, ...payload });
  }
}

// The types of EventEmitter do not follow an event that is a type parameter.
function emitOn(
  emitter: { emit(event: string, payload: unknown): boolean },
  event: string,
  payload: unknown,
): void {
  emitter.emit(event, payload);
}
