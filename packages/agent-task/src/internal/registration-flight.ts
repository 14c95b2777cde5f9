import type { AgentIdentityManager } from "@countersign/agent-identity";
import type { CallPatience } from "@countersign/agent-identity/authority-client";
import { untilAborted } from "@countersign/agent-key";
import type { AgentTask, TaskScope } from "../agent-task.js";
import type { EmitTaskEvent } from "../task-events.js";
import type { Flight } from "./flight.js";
import type { RegistrationAttempt } from "./registration-attempt.js";
import { endedError, toRegistrationError } from "./registration-failure.js";
import type { ScopeState } from "./scope-states.js";
import { startCountdown, type TaskTimers } from "./task-timers.js";

/** Options of {@link startFlight}. */
export interface FlightOptions {
  readonly identities: AgentIdentityManager;
  readonly timers: TaskTimers;
  readonly emit: EmitTaskEvent;
  readonly run: (attempt: RegistrationAttempt) => Promise<AgentTask | undefined>;
  readonly prewarm: boolean;
  /** What a turn has in all, for the message. Milliseconds. */
  readonly deadlineMs: number;
  /** What is left of it for this flight. Milliseconds. */
  readonly flightMs: number;
  /** How its calls of the authority wait, within that time. */
  readonly patience: Omit<CallPatience, "deadlineMs">;
}

/** Options of {@link joinFlight}. */
export interface JoinOptions {
  readonly scope: TaskScope;
  readonly timers: TaskTimers;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds. */
  readonly waitMs: number;
}

/**
 * Starts the registration of a scope and makes it the scope's flight. It ends at its time whatever the work does, and its task becomes
 * that of the scope unless the scope was forgotten meanwhile.
 */
export function startFlight(state: ScopeState, options: FlightOptions): Flight {
  const { scope, generation } = state;
  const { identities, timers, emit, prewarm, flightMs, patience } = options;
  const { authority } = identities;
  const controller = new AbortController();
  const countdown = startCountdown(timers, flightMs);
  const remainingMs = () => Math.max(1, countdown());
  let agentRuntimeId: string | undefined;
  const stopTimer = timers.after(Math.max(1, flightMs), () => {
    const seconds = Math.ceil(options.deadlineMs / 1000);
    const message = `no task for this turn within ${seconds} s from ${authority}`;
    controller.abort(endedError("timeout", message, scope, agentRuntimeId));
  });
  const work = options.run({
    signal: controller.signal,
    remainingMs,
    patience: () => ({ ...patience, deadlineMs: remainingMs() }),
    isForgotten: () => state.generation !== generation,
    onAgent: (id) => {
      agentRuntimeId = id;
    },
  });
  const finish = async (): Promise<AgentTask | undefined> => {
    try {
      const task = await untilAborted(work, controller.signal);
      const isKept = state.generation === generation && task !== undefined;
      if (isKept && !state.isRefused(task)) state.task = task;
      return task;
    } catch (error) {
      // What the work threw because it was aborted says less than why it was.
      const cause = controller.signal.aborted ? controller.signal.reason : error;
      const failure = toRegistrationError(cause, { scope, authority, agentRuntimeId });
      emit("failed", { scope, error: failure, prewarm });
      throw failure;
    } finally {
      stopTimer();
      if (state.flight === flight) state.flight = undefined;
    }
  };
  const flight: Flight = {
    prewarm,
    promise: finish(),
    abort: () => {
      // It has ended, which is the rule: the last turn leaves it with its task.
      if (state.flight !== flight) return;
      // At once: a turn that begins in this moment must not be cancelled with the one that ended.
      state.flight = undefined;
      controller.abort(endedError("cancelled", "nobody waits for the task", scope));
    },
    waiters: 0,
  };
  state.flight = flight;
  // Whoever waits hears of the failure; where nobody waits, the event told it.
  flight.promise.catch(() => {});
  return flight;
}

/**
 * Waits for a flight as one of its turns. The last turn that leaves it takes it along, unless it was started ahead of time.
 *
 * @throws {TaskRegistrationError} of the flight; `timeout` after `waitMs`; `cancelled` by the signal
 */
export async function joinFlight(
  flight: Flight,
  options: JoinOptions,
): Promise<AgentTask | undefined> {
  const { scope, timers, signal, waitMs } = options;
  const timeout = new AbortController();
  const stopTimer = timers.after(Math.max(0, waitMs), () =>
    timeout.abort(endedError("timeout", "no task for this turn in time", scope)),
  );
  flight.waiters += 1;
  try {
    const ended = timeout.signal;
    const until = signal === undefined ? ended : AbortSignal.any([ended, signal]);
    return await untilAborted(flight.promise, until);
  } catch (error) {
    throw signal?.aborted === true ? endedError("cancelled", "the caller ended it", scope) : error;
  } finally {
    stopTimer();
    flight.waiters -= 1;
    // A turn that is given up takes its registration with it, unless another turn waits for the same.
    if (flight.waiters === 0 && !flight.prewarm) flight.abort();
  }
}
