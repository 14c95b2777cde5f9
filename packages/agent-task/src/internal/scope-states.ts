import { randomUUID } from "node:crypto";
import { AgentKeyError, LinkedMap, Mutex, parseScopeId } from "@countersign/agent-key";
import { type AgentTask, RUN, type TaskScope } from "../agent-task.js";
import { createRandomIdempotencyKey } from "../idempotency-key.js";
import type { Flight } from "./flight.js";
import { RecoveryBudget } from "./recovery-budget.js";

const MAX_STATES = 10_000;
const MAX_REFUSED = 100;
// How many states are looked at to make room for one.
const MAX_TRIES = 10;

/** What this process has in memory for one scope. */
export class ScopeState {
  readonly scope: TaskScope;
  /** The scope as a text. Of a run: random, and never stored. */
  name: string;
  readonly stored: boolean;
  /** The current task, revalidated before each use. */
  task: AgentTask | undefined;
  /** What the next task of this thread is called, as this process was told. Absent: as the stored thread has it. */
  label: string | undefined;
  flight: Flight | undefined;
  /** Turns that wait for a task now. */
  waitingTurns = 0;
  /** Stops the `waiting` events of these turns. */
  stopNotifying: (() => void) | undefined;
  /** Whether the event `fallback` was emitted for this scope. */
  isFallbackTold = false;
  /** Grows each time the scope is forgotten. The result of a registration that began in an earlier generation is not kept. */
  generation = 0;
  /** Held while the stored thread is read and written. */
  readonly mutex = new Mutex();
  readonly budget = new RecoveryBudget();
  /** For each agent whose task is to be replaced: the fresh `Idempotency-Key`, kept for the retries of that one registration. */
  readonly replacementKeys = new Map<string, string>();
  readonly #refused = new LinkedMap<string, true>(MAX_REFUSED);

  constructor(scope: TaskScope) {
    this.scope = scope;
    this.stored = typeof scope === "string";
    this.name = typeof scope === "string" ? scope : randomUUID();
  }

  /** Whether a resource server refused this task before. */
  isRefused(task: TaskIds): boolean {
    return this.#refused.get(nameOf(task)) === true;
  }

  /** Remembers that this task was refused. */
  addRefused(task: TaskIds): void {
    this.#refused.set(nameOf(task), true);
  }

  /** Makes the next registration for this agent one that replaces a task. */
  replaceNext(agentRuntimeId: string): void {
    this.replacementKeys.set(agentRuntimeId, createRandomIdempotencyKey());
  }

  /** Drops everything. A registration that is under way goes on, but its result is not kept. */
  clear(): void {
    this.generation += 1;
    this.task = undefined;
    this.label = undefined;
    this.replacementKeys.clear();
    this.#refused.clear();
    if (!this.stored) this.name = randomUUID();
  }

  /** Whether nothing is going on here. */
  get idle(): boolean {
    return this.flight === undefined && this.mutex.idle;
  }
}

/** The ids that name a task. */
export interface TaskIds {
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly taskId: string;
}

/** The scopes that this process has seen. Bounded: the oldest idle one is dropped first, its task is in the store. */
export class ScopeStates {
  readonly #states = new LinkedMap<TaskScope, ScopeState>();

  /**
   * The state of a scope, made at first use.
   *
   * @throws {AgentKeyError} `invalid_request` if the scope is neither a valid thread id nor `RUN`
   */
  get(scope: TaskScope): ScopeState {
    const known = this.#states.get(scope);
    if (known !== undefined) return known;
    if (typeof scope !== "string" && scope !== RUN) {
      throw new AgentKeyError("invalid_request", "a scope is a text or RUN");
    }
    const state = new ScopeState(typeof scope === "string" ? parseScopeId(scope) : scope);
    this.#makeRoom();
    this.#states.set(scope, state);
    return state;
  }

  /** Every scope that is known now. */
  all(): ScopeState[] {
    return [...this.#states].map(([, state]) => state);
  }

  // A state that must stay becomes the newest, so that the next new scope does not meet it again.
  #makeRoom(): void {
    let tries = MAX_TRIES;
    for (const [scope, state] of this.#states) {
      if (this.#states.size < MAX_STATES || tries === 0) return;
      tries -= 1;
      // The task of a run is nowhere else.
      if (state.idle && state.stored) this.#states.delete(scope);
      else this.#states.set(scope, state);
    }
  }
}

// Ids hold no space, so this joins without ambiguity.
function nameOf(task: TaskIds): string {
  return `${task.authority} ${task.agentRuntimeId} ${task.taskId}`;
}
