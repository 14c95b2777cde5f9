import type { AgentIdentity, HumanAuth } from "@countersign/agent-identity";
import type { AuthorityClock } from "@countersign/agent-identity/authority-client";
import { CountersignError } from "@countersign/agent-key";
import type { AgentTask } from "../agent-task.js";
import { AgentTaskError } from "../agent-task-error.js";
import { createIdempotencyKey, createRandomIdempotencyKey } from "../idempotency-key.js";
import { parseStoredThread, type StoredThread } from "../schema/stored-thread.js";
import type { TaskStore } from "../store/task-store.js";
import type { TaskOfAgentEvent } from "../task-events.js";
import {
  fewAttempts,
  type RegistrationAttempt,
  type TaskRegistrarOptions,
} from "./registration-attempt.js";
import { requestTask } from "./request-task.js";
import type { ScopeState } from "./scope-states.js";
import { findTask, withTask } from "./stored-tasks.js";

/** Input of {@link obtainTask}. */
export interface ObtainTask extends TaskRegistrarOptions {
  readonly state: ScopeState;
  readonly identity: AgentIdentity;
  /** Returns the current human; `switched` if the login is no longer this agent's. */
  readonly human: () => Promise<HumanAuth | undefined | "switched">;
  readonly attempt: RegistrationAttempt;
}

/**
 * Returns the task of one scope for one agent: the stored one if it may be used, otherwise a new one, which is then stored.
 *
 * If the stored task may be used and the lock of the scope is free, the thread is only read. Everything else happens under the lock of the
 * scope, where the thread is read again. So two processes that ask at the same time register one task.
 *
 * @returns `undefined` if the login was no longer this agent's once the lock was held; nothing was sent then
 */
export async function obtainTask(input: ObtainTask): Promise<AgentTask | undefined> {
  const { state, store, attempt } = input;
  const { signal } = attempt;
  return await state.mutex.run(async () => {
    const task = await resume(input);
    if (task !== undefined) return task;
    return await withStoreLock(store, state, signal, attempt.remainingMs(), async (held) => {
      const thread = await loadThread(store, state);
      const found = findTask(thread, input.identity, state.scope) ?? kept(input);
      return reused(input, found) ?? (await registerOrKeep(input, thread, found, held));
    });
  }, signal);
}

/** Runs while holding a scope: in this process, and through the store across processes. */
export async function withScopeLock<T>(
  store: TaskStore,
  state: ScopeState,
  signal: AbortSignal,
  waitMs: number,
  run: (held: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  return await state.mutex.run(() => withStoreLock(store, state, signal, waitMs, run), signal);
}

async function withStoreLock<T>(
  store: TaskStore,
  state: ScopeState,
  signal: AbortSignal,
  waitMs: number,
  run: (held: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  if (!state.stored || store.withLock === undefined) return await run(undefined);
  let thrown: unknown;
  const watched = async (held: AbortSignal | undefined): Promise<T> => {
    try {
      return await run(held);
    } catch (error) {
      thrown = error;
      throw error;
    }
  };
  try {
    return await store.withLock(state.name, watched, { signal, waitMs: Math.max(1, waitMs) });
  } catch (error) {
    // What `run` threw passes through the store; what else comes out is the lock's own trouble.
    throw error === thrown ? error : toStoreError(error);
  }
}

/** The stored thread, checked whatever store it comes from. A run has none. */
export async function loadThread(
  store: TaskStore,
  state: ScopeState,
): Promise<StoredThread | undefined> {
  if (!state.stored) return undefined;
  const thread = await ofStore(store.load(state.name));
  return thread === undefined
    ? undefined
    : parseStoredThread(thread, "the stored thread", state.name);
}

/** Saves a thread. */
export async function saveThread(
  store: TaskStore,
  state: ScopeState,
  thread: StoredThread,
): Promise<void> {
  await ofStore(store.save(state.name, thread));
}

/** Waits for a call of the store. A harness's own store may throw anything, so the error is wrapped: the caller sees that the store failed. */
export async function ofStore<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toStoreError(error);
  }
}

function toStoreError(error: unknown): CountersignError {
  if (CountersignError.is(error)) return error;
  return new AgentTaskError("store_denied", "the store of tasks failed", {
    cause: error,
    hint: "see the cause of this error",
  });
}

/** Whether a task need not be renewed yet. The margin is at most a quarter of its lifetime, so that short lives are used too. */
export function isFresh(
  task: AgentTask,
  options: { readonly clock: AuthorityClock; readonly renewBeforeMs: number },
): boolean {
  if (task.expiresAt === undefined) return true;
  const quarter = (task.expiresAt - Date.parse(task.registeredAt)) / 4;
  const marginMs = quarter >= 0 ? Math.min(options.renewBeforeMs, quarter) : options.renewBeforeMs;
  return task.expiresAt - options.clock.latest() > marginMs;
}

/** The ids of a task, as events tell them. */
export function idsOf(task: AgentTask): TaskOfAgentEvent {
  const { scope, authority, agentRuntimeId, taskId } = task;
  return { scope, authority, agentRuntimeId, taskId };
}

// The stored task by a plain read; a lock that is held is waited for, and one that a killed process left is taken over.
async function resume(input: ObtainTask): Promise<AgentTask | undefined> {
  const { state, store } = input;
  if (!state.stored || store.isLocked === undefined) return undefined;
  const found = findTask(await loadThread(store, state), input.identity, state.scope);
  if (found === undefined || (await ofStore(store.isLocked(state.name)))) return undefined;
  return reused(input, found);
}

// What was found if it may be used as it is.
function reused(input: ObtainTask, found: AgentTask | undefined): AgentTask | undefined {
  if (found === undefined || !isUsable(found, input)) return undefined;
  if (input.state.stored) input.emit("reused", idsOf(found));
  return found;
}

async function registerOrKeep(
  input: ObtainTask,
  thread: StoredThread | undefined,
  found: AgentTask | undefined,
  held: AbortSignal | undefined,
): Promise<AgentTask | undefined> {
  try {
    return await register(input, thread, found, held);
  } catch (error) {
    // A task that could not be renewed is good until its end.
    const passing = CountersignError.is(error) && error.retryable;
    const isGone = input.attempt.signal.aborted || found === undefined || !isAlive(found, input);
    if (passing && !isGone) return found;
    throw error;
  }
}

async function register(
  input: ObtainTask,
  thread: StoredThread | undefined,
  found: AgentTask | undefined,
  held: AbortSignal | undefined,
): Promise<AgentTask | undefined> {
  const { state, identity, attempt, emit, store } = input;
  // Read now, because the login may have changed while this call waited for the lock.
  const human = await input.human();
  if (human === "switched") return undefined;
  const { authority, agentRuntimeId } = identity;
  const { scope } = state;
  const renewal = found !== undefined && isAlive(found, input);
  const pending = state.replacementKeys.get(agentRuntimeId);
  const first = found === undefined && pending === undefined;
  const derived = first ? firstKeyOf(identity, state.name) : undefined;
  const idempotencyKey = derived ?? pending ?? createRandomIdempotencyKey();
  // Kept until it brought a task, so that a lost answer does not cost a second one.
  if (derived === undefined) state.replacementKeys.set(agentRuntimeId, idempotencyKey);
  emit("registering", {
    scope,
    authority,
    agentRuntimeId,
    reason: first ? "first" : renewal ? "renewed" : "replaced",
  });
  const patience = attempt.patience();
  const label = state.label ?? thread?.thread_label;
  const task = await whileHeld(held, (lost) =>
    requestTask({
      client: input.identities.client,
      clock: input.clock,
      identity,
      scope,
      idempotencyKey,
      label,
      human,
      signal: lost === undefined ? attempt.signal : AbortSignal.any([attempt.signal, lost]),
      patience: renewal
        ? { ...patience, attempts: patience.attempts ?? fewAttempts(patience.outageMs) }
        : patience,
      onRetry: ({ attempt: number, delayMs, error }) =>
        emit("retrying", { scope, attempt: number, delayMs, code: error.code }),
    }),
  );
  // The turn gets the task in any case. If the scope was forgotten while the task was registered, the task is not saved.
  if (state.stored && !attempt.isForgotten()) {
    await saveThread(store, state, withTask(thread, state.name, task, label));
  }
  state.replacementKeys.delete(agentRuntimeId);
  // For a refused task this event was emitted when it was refused.
  if (found !== undefined && found.taskId !== task.taskId && !state.isRefused(found)) {
    emit("discarded", { ...idsOf(found), reason: renewal ? "renewed" : "task_expired" });
  }
  emit("registered", { ...idsOf(task), expiresAt: task.expiresAt });
  return task;
}

// A signer that derives no secret has no key for the scope: its first one is random, like each later one.
function firstKeyOf(
  { key, authority, agentRuntimeId }: AgentIdentity,
  scope: string,
): string | undefined {
  if (key.deriveSecret === undefined) return undefined;
  const { deriveSecret } = key;
  const secret = { deriveSecret: (info: string) => deriveSecret.call(key, info) };
  return createIdempotencyKey(secret, authority, agentRuntimeId, scope);
}

// Once the lock is lost, another process may register and save, so nothing is saved here. The next turn sends the same `Idempotency-Key` and
// gets the same task.
async function whileHeld<T>(
  held: AbortSignal | undefined,
  run: (held: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  try {
    const result = await run(held);
    if (held?.aborted !== true) return result;
  } catch (error) {
    if (held?.aborted !== true) throw error;
  }
  throw new AgentTaskError("store_locked", "the lock of the stored thread was lost", {
    retryable: true,
    hint: "the next turn tries again",
  });
}

// A run has no stored thread: what it has is in memory.
function kept({ state, identity }: ObtainTask): AgentTask | undefined {
  const { task } = state;
  if (state.stored || task === undefined) return undefined;
  return task.agentRuntimeId === identity.agentRuntimeId && task.authority === identity.authority
    ? { ...task, key: identity.key }
    : undefined;
}

function isUsable(task: AgentTask, input: ObtainTask): boolean {
  return !input.state.isRefused(task) && isFresh(task, input);
}

function isAlive(task: AgentTask, input: ObtainTask): boolean {
  return (
    !input.state.isRefused(task) &&
    (task.expiresAt === undefined || task.expiresAt > input.clock.latest())
  );
}
