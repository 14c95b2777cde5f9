import type { AgentIdentity } from "@countersign/agent-identity";
import type { Code } from "@countersign/agent-key";
import type { CodeWith } from "@countersign/agent-key/codes";
import type { AgentTask, TaskScope } from "../agent-task.js";
import type { StoredThread } from "../schema/stored-thread.js";
import type { Flight } from "./flight.js";
import { isSameAgentId, isSameSigner, type Signer } from "./is-same-agent.js";
import { idsOf, isFresh, loadThread, ofStore, saveThread, withScopeLock } from "./obtain-task.js";
import type { TaskRegistrarOptions } from "./registration-attempt.js";
import { endedError, toRegistrationError } from "./registration-failure.js";
import { joinFlight, startFlight } from "./registration-flight.js";
import { type ScopeState, ScopeStates } from "./scope-states.js";
import { findTask, withoutTask } from "./stored-tasks.js";
import { TaskRegistrar } from "./task-registrar.js";
import type { TaskTimers } from "./task-timers.js";
import { TurnDeadlines, type WaitOptions } from "./turn-deadlines.js";
import { notifyWaiting } from "./wait-notifier.js";

// With less time left than this, no registration is started. A turn that waits for a flight gives the flight this much extra time to report why
// it failed.
const GRACE_MS = 50;

/** What a {@link TaskKeeper} works with. */
export interface TaskKeeperOptions extends TaskRegistrarOptions {
  readonly deadlineMs: number;
  readonly timers: TaskTimers;
}

/** A task that may be used now, and the identity of its agent. */
export interface HeldTask {
  readonly task: AgentTask;
  readonly identity: AgentIdentity;
}

/** Keeps the task of each scope: the part that `AgentTaskManager` and its threads share. */
export class TaskKeeper {
  readonly options: TaskKeeperOptions;
  readonly #registrar: TaskRegistrar;
  readonly #states = new ScopeStates();
  /** Bounds what is waited for. */
  readonly deadlines: TurnDeadlines;
  #closed = false;

  constructor(options: TaskKeeperOptions) {
    this.options = options;
    this.deadlines = new TurnDeadlines(options);
    this.#registrar = new TaskRegistrar(options);
  }

  /** What this process has in memory for a scope. @throws {AgentKeyError} `invalid_request` */
  state(scope: TaskScope): ScopeState {
    return this.#states.get(scope);
  }

  /**
   * The task that this process has for the scope, if the current login may use it. One look at login and store decides; no timer is started
   * unless the login has to be asked for.
   *
   * @returns `undefined` if there is none, or if the look fails: `ensure` then finds the task or reports the error
   */
  async held(scope: TaskScope, wait: WaitOptions): Promise<HeldTask | undefined> {
    const state = this.state(scope);
    const { identities } = this.options;
    if (state.task === undefined) return undefined;
    const look = await this.deadlines.settle(scope, wait, identities.look()).catch(() => undefined);
    if (this.#closed || wait.signal?.aborted === true) return undefined;
    const identity = look?.identity;
    if (identity === undefined) return undefined;
    const task = this.#usable(state.task, identity, state);
    return task && { task, identity };
  }

  async ensure(scope: TaskScope, options: WaitOptions = {}): Promise<AgentTask | undefined> {
    const { signal, remainingMs = this.deadlines.countdown(options) } = options;
    const state = this.state(scope);
    const givenUp = () => signal?.aborted === true;
    this.#assertOpen(scope);
    if (givenUp()) throw endedError("cancelled", "the caller ended it", scope);
    try {
      const cached = await this.#cached(state, { signal, remainingMs });
      if (cached !== undefined) return cached;
    } catch (error) {
      throw toRegistrationError(error, { scope, authority: this.options.identities.authority });
    }
    const stopWaiting = this.#beginWaiting(state);
    try {
      for (;;) {
        const joined = state.flight;
        try {
          const flight = joined ?? this.#start(state, remainingMs(), false, options);
          const task = await this.#join(state, flight, signal, remainingMs());
          if (joined === undefined || (await this.#isOwn(task, scope, { signal, remainingMs }))) {
            return task;
          }
          this.#assertOpen(scope);
        } catch (error) {
          // A turn uses the task of a prewarm, but does not fail with it: it then registers the task itself, within its own time.
          const isLast = givenUp() || this.#closed || remainingMs() <= GRACE_MS;
          if (joined?.prewarm !== true || isLast) {
            throw toRegistrationError(error, {
              scope,
              authority: this.options.identities.authority,
            });
          }
        }
      }
    } finally {
      stopWaiting();
    }
  }

  prewarm(scope: TaskScope): void {
    const state = this.state(scope);
    const start = (cached?: AgentTask) => {
      if (cached !== undefined || this.#closed || state.flight !== undefined) return;
      this.#start(state, this.options.deadlineMs, true);
    };
    if (state.task === undefined) start();
    // If the login cannot be read, the registration fails for the same reason and reports it.
    else this.#cached(state).then(start, () => start());
  }

  async peek(scope: TaskScope): Promise<AgentTask | undefined> {
    const state = this.state(scope);
    const identity = await this.options.identities.peek();
    if (identity === undefined) return undefined;
    const cached = this.#usable(state.task, identity, state);
    if (cached !== undefined) return cached;
    const stored = findTask(await loadThread(this.options.store, state), identity, scope);
    return stored !== undefined && this.#usable(stored, identity, state) ? stored : undefined;
  }

  async invalidate(
    task: AgentTask,
    code: Code | undefined,
    remainingMs: () => number = this.deadlines.countdown(),
  ): Promise<boolean> {
    const state = this.state(task.scope);
    const { store, emit } = this.options;
    // Marked before the first wait, so that a concurrent turn does not get this task again.
    state.addRefused(task);
    const wasCurrent = state.task?.taskId === task.taskId && isSameSigner(state.task, task);
    if (wasCurrent) state.task = undefined;
    const dropped = await this.#locked(state, remainingMs(), async () => {
      const thread = await loadThread(store, state);
      const rest = withoutTask(thread, task);
      if (rest !== undefined) await saveThread(store, state, rest);
      const replaced = thread?.tasks.some(
        (other) =>
          other.authority === task.authority &&
          other.agent_runtime_id === task.agentRuntimeId &&
          other.task_id !== task.taskId,
      );
      if (replaced === true) return false;
      return wasCurrent || rest !== undefined;
    });
    if (!dropped) return false;
    state.replaceNext(task.agentRuntimeId);
    emit("discarded", { ...idsOf(task), reason: code });
    return true;
  }

  async forget(scope: TaskScope): Promise<boolean> {
    const state = this.state(scope);
    const { store } = this.options;
    const had = state.task !== undefined;
    state.clear();
    if (!state.stored) return had;
    return await this.#locked(state, this.options.deadlineMs, async () => {
      if (store.remove !== undefined) return (await ofStore(store.remove(state.name))) || had;
      const thread = await loadThread(store, state);
      if (thread === undefined || thread.tasks.length === 0) return had;
      await saveThread(store, state, { ...thread, tasks: [] });
      return true;
    });
  }

  async list(): Promise<StoredThread[]> {
    const { store } = this.options;
    if (store.list !== undefined) return await ofStore(store.list());
    const states = this.#states.all();
    const threads = await Promise.all(states.map((state) => loadThread(store, state)));
    return threads.filter((thread) => thread !== undefined);
  }

  /** Learns the authority's time after a refusal. @returns whether signing again makes sense */
  async learnTime(
    code: CodeWith<"onAssertion", "correct_time">,
    usedOffsetSeconds: number,
    options: WaitOptions = {},
  ): Promise<boolean> {
    const { clock } = this.options;
    return await clock.learn(code, usedOffsetSeconds, () =>
      this.#registrar.askTheTime({
        signal: options.signal,
        deadlineMs: options.remainingMs?.(),
        requestId: options.requestId,
      }),
    );
  }

  /**
   * Whether the agent that signed has another key by now, after a rotation that was cut off is finished.
   *
   * @throws {TaskRegistrationError} what became of finishing it
   */
  async isRotated(scope: TaskScope, signer: Signer, wait: WaitOptions): Promise<boolean> {
    const { identities } = this.options;
    return await this.deadlines.run(scope, wait, async (signal) => {
      const stored = await identities.peek();
      if (stored === undefined || !isSameAgentId(stored, signer)) return false;
      if (!isSameSigner(stored, signer)) return true;
      const { attempts, outageMs, requestId } = wait;
      const patience = { attempts, outageMs, requestId };
      const rotated = await identities.finishRotation(stored, { signal, ...patience });
      return (
        rotated !== undefined && isSameAgentId(rotated, signer) && !isSameSigner(rotated, signer)
      );
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const flights = this.#states.all().flatMap((state) => state.flight ?? []);
    for (const flight of flights) flight.abort();
    await Promise.allSettled(flights.map((flight) => flight.promise));
  }

  async #cached(state: ScopeState, wait: WaitOptions = {}): Promise<AgentTask | undefined> {
    if (state.task === undefined) return undefined;
    const identity = await this.deadlines.settle(state.scope, wait, this.options.identities.peek());
    return identity === undefined ? undefined : this.#usable(state.task, identity, state);
  }

  // The auth may give each caller the caller's own human. A task that another caller registered may then belong to another agent.
  async #isOwn(task: AgentTask | undefined, scope: TaskScope, wait: WaitOptions): Promise<boolean> {
    if (task === undefined) return true;
    const identity = await this.deadlines.settle(scope, wait, this.options.identities.peek());
    return identity !== undefined && isSameAgentId(identity, task);
  }

  #usable(
    task: AgentTask | undefined,
    identity: AgentIdentity,
    state: ScopeState,
  ): AgentTask | undefined {
    return task !== undefined &&
      isSameSigner(task, identity) &&
      !state.isRefused(task) &&
      isFresh(task, this.options)
      ? task
      : undefined;
  }

  #start(
    state: ScopeState,
    flightMs: number,
    prewarm: boolean,
    { deadlineMs, attempts, outageMs, requestId }: WaitOptions = {},
  ): Flight {
    return startFlight(state, {
      ...this.options,
      run: (attempt) => this.#registrar.run(state, attempt),
      deadlineMs: this.deadlines.totalMs({ deadlineMs }),
      flightMs,
      prewarm,
      patience: { attempts, outageMs, requestId },
    });
  }

  async #join(
    state: ScopeState,
    flight: Flight,
    signal: AbortSignal | undefined,
    waitMs: number,
  ): Promise<AgentTask | undefined> {
    return await joinFlight(flight, {
      scope: state.scope,
      timers: this.options.timers,
      signal,
      // Somewhat later than the flight's own deadline where that is the same: its error says more.
      waitMs: Math.max(0, waitMs) + GRACE_MS,
    });
  }

  // All turns of a scope that wait at the same time are one line of progress, whatever they wait for.
  #beginWaiting(state: ScopeState): () => void {
    const { scope } = state;
    state.waitingTurns += 1;
    state.stopNotifying ??= notifyWaiting(this.options.timers, (elapsedMs) =>
      this.options.emit("waiting", { scope, elapsedMs }),
    );
    return () => {
      state.waitingTurns -= 1;
      if (state.waitingTurns > 0) return;
      state.stopNotifying?.();
      state.stopNotifying = undefined;
    };
  }

  // Changes what is stored of a scope.
  async #locked<T>(state: ScopeState, waitMs: number, run: () => Promise<T>): Promise<T> {
    const { store } = this.options;
    const wait = { remainingMs: () => waitMs };
    return await this.deadlines.run(state.scope, wait, (signal) =>
      withScopeLock(store, state, signal, waitMs, run),
    );
  }

  #assertOpen(scope: TaskScope): void {
    if (this.#closed) throw endedError("cancelled", "the manager of tasks is closed", scope);
  }
}
