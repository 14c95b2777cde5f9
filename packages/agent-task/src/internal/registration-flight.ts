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
 * Starts the registration of a scope and makes it the scope's flight. The flight ends after `flightMs` even if the work does not. Its task
 * becomes the task of the scope unless the scope was forgotten since the start.
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
      // If the flight was aborted, the reason says more than the error that the work threw because of it.
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
      // Usually the flight has ended already: the last turn leaves it with its task.
      if (state.flight !== flight) return;
      // Removed before the work has ended, so that a turn that begins now starts a flight of its own and is not cancelled with this one.
      state.flight = undefined;
      controller.abort(endedError("cancelled", "no turn waits for the task any more", scope));
    },
    waiters: 0,
  };
  state.flight = flight;
  // The turns that wait get the rejection themselves. If no turn waits, the event `failed` has reported it.
  flight.promise.catch(() => {});
  return flight;
}

/**
 * Waits for a flight as one of its turns. The last turn that leaves a flight ends it, unless it was started ahead of time.
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
    // A turn that is given up ends its registration, unless another turn waits for it too.
    if (flight.waiters === 0 && !flight.prewarm) flight.abort();
  }
}
