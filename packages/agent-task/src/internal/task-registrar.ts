import type { AgentIdentity, EnsureIdentityOptions } from "@countersign/agent-identity";
import { AgentIdentityError, AuthorityError } from "@countersign/agent-identity";
import { type Code, CountersignError } from "@countersign/agent-key";
import { codeRow, hasInRow } from "@countersign/agent-key/codes";
import type { AgentTask } from "../agent-task.js";
import { HumanOfAgent } from "./human-of-agent.js";
import { isSameAgent } from "./is-same-agent.js";
import { obtainTask } from "./obtain-task.js";
import type { RegistrationAttempt, TaskRegistrarOptions } from "./registration-attempt.js";
import type { ScopeState } from "./scope-states.js";

const MAX_SWITCHES = 3;
const REPLACE_AGAIN_AFTER_MS = 10 * 60 * 1000;

/**
 * Brings a scope to a task of the current agent: from the store, else from the authority; with what protocol §10 prescribes when the
 * authority refuses the agent or the time.
 */
export class TaskRegistrar {
  readonly #options: TaskRegistrarOptions;
  // Agents that took the place of unknown ones and were not accepted since, with the time: they are not replaced in turn.
  readonly #unproven = new Map<string, number>();

  constructor(options: TaskRegistrarOptions) {
    this.#options = options;
  }

  /** @returns the task; `undefined`: there is no agent to register one for (feature off, nobody logged in) */
  async run(state: ScopeState, attempt: RegistrationAttempt): Promise<AgentTask | undefined> {
    const { identities } = this.#options;
    const recovered = new Set<Code>();
    let identity = await identities.ensure(callOf(attempt));
    for (let switches = 0; switches <= MAX_SWITCHES; switches += 1) {
      const outcome = await this.#runFor(identity, state, attempt, recovered);
      if ("task" in outcome) return outcome.task;
      identity = outcome.identity;
    }
    throw new AgentIdentityError("cancelled", "the login changed again and again meanwhile", {
      retryable: true,
    });
  }

  /** Asks the authority one question, for the time on its answer. */
  async askTheTime(signal: AbortSignal | undefined, deadlineMs?: number): Promise<void> {
    const { identities, clock } = this.#options;
    const auth = await identities.auth();
    if (auth?.kind !== "human") return;
    try {
      const response = await identities.client.request(
        {
          method: "GET",
          path: "/v1/whoami",
          human: { accessToken: auth.accessToken, proof: "bearer" },
          retry: false,
        },
        { signal, deadlineMs },
      );
      clock.observe(response);
    } catch (error) {
      // Without an answer there is nothing to learn, and the refusal stands as it is.
      if (!CountersignError.is(error)) throw error;
    }
  }

  // With one agent and whatever takes its place. Ends with the task, or with whoever is at work by then.
  async #runFor(
    first: AgentIdentity | undefined,
    state: ScopeState,
    attempt: RegistrationAttempt,
    recovered: Set<Code>,
  ): Promise<
    { readonly task: AgentTask | undefined } | { readonly identity: AgentIdentity | undefined }
  > {
    const { identities } = this.#options;
    const { signal } = attempt;
    for (let identity = first; identity !== undefined; ) {
      attempt.onAgent(identity.agentRuntimeId);
      const human = new HumanOfAgent(identities, identity);
      try {
        const input = { ...this.#options, state, identity, human: () => human.current(), attempt };
        const task = await obtainTask(input);
        if (task !== undefined) this.#unproven.delete(identity.agentRuntimeId);
        const current = await identities.ensure(callOf(attempt));
        // The task stays stored for its own agent; whoever is at work now gets another one.
        const isCurrent = current !== undefined && isSameAgent(current, identity);
        return isCurrent && task !== undefined ? { task } : { identity: current };
      } catch (error) {
        if (signal.aborted) throw error;
        const now = await human.now();
        // A failure of who has gone is nobody's.
        if (now === "switched") return { identity: await identities.ensure(callOf(attempt)) };
        const isRenewed = human.used !== undefined && human.used !== now?.accessToken;
        if (!(isRenewed && isUnauthenticated(error) && !recovered.has(error.code))) {
          identity = await this.#afterRefusal(error, identity, recovered, attempt);
        } else {
          // Refused was the token of before; the human has logged in again since.
          recovered.add(error.code);
        }
      }
    }
    return { task: undefined };
  }

  // Gives the agent to try again with, each remedy once; else throws.
  async #afterRefusal(
    error: unknown,
    identity: AgentIdentity,
    recovered: Set<Code>,
    attempt: RegistrationAttempt,
  ): Promise<AgentIdentity | undefined> {
    if (!AuthorityError.is(error) || recovered.has(error.code)) throw error;
    recovered.add(error.code);
    const { identities, clock } = this.#options;
    const { code } = error;
    const { onRegistration } = codeRow(code);
    switch (onRegistration) {
      case "replace_agent": {
        if (this.#isUnproven(identity)) throw error;
        const replaced = await identities.replace(identity, "unknown_agent", callOf(attempt));
        if (replaced === undefined) throw error;
        this.#unproven.set(replaced.agentRuntimeId, clock.local());
        return replaced;
      }
      case "renew_agent": {
        const renewed = await identities.replace(identity, "agent_expired", callOf(attempt));
        if (renewed === undefined) throw error;
        return renewed;
      }
      case "follow_rotation": {
        // A rotation that was cut off here, or finished by another process meanwhile.
        const rotated = await identities.finishRotation(identity, callOf(attempt));
        if (rotated === undefined) throw error;
        return rotated;
      }
      case "correct_time": {
        if (!hasInRow(code, "onRegistration", onRegistration)) throw error;
        const learned = await clock.learn(code, clock.offsetSeconds, () =>
          this.askTheTime(attempt.signal),
        );
        if (!learned) throw error;
        return identity;
      }
      case "hand_up":
        throw error;
    }
  }

  #isUnproven(identity: AgentIdentity): boolean {
    const since = this.#unproven.get(identity.agentRuntimeId);
    return since !== undefined && this.#options.clock.local() - since < REPLACE_AGAIN_AFTER_MS;
  }
}

function callOf({ signal, patience }: RegistrationAttempt): EnsureIdentityOptions {
  return { ...patience(), signal };
}

function isUnauthenticated(error: unknown): error is AuthorityError {
  return (
    AuthorityError.is(error) &&
    (error.code === "unauthenticated" || error.code === "biscuit_invalid")
  );
}
