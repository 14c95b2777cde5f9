import type { AgentIdentity, EnsureIdentityOptions } from "@countersign/agent-identity";
import { AgentIdentityError, AuthorityError } from "@countersign/agent-identity";
import type { AuthorityCallOptions } from "@countersign/agent-identity/authority-client";
import { type Code, CountersignError } from "@countersign/agent-key";
import { codeRow, hasInRow } from "@countersign/agent-key/codes";
import type { AgentTask } from "../agent-task.js";
import { isSameAgent } from "./is-same-agent.js";
import { obtainTask } from "./obtain-task.js";
import { OwnerLogin } from "./owner-login.js";
import type { RegistrationAttempt, TaskRegistrarOptions } from "./registration-attempt.js";
import type { ScopeState } from "./scope-states.js";

const MAX_SWITCHES = 3;
const REPLACE_AGAIN_AFTER_MS = 10 * 60 * 1000;

/**
 * Gets the task of a scope for the current agent: from the store, otherwise from the authority. If the authority refuses the agent or the
 * time, it does what protocol §10 prescribes.
 */
export class TaskRegistrar {
  readonly #options: TaskRegistrarOptions;
  // Agents that replaced an unknown agent and have had no task since, each with the time of its registration. If such an agent is unknown too,
  // it is not replaced until `REPLACE_AGAIN_AFTER_MS` have passed.
  readonly #unproven = new Map<string, number>();

  constructor(options: TaskRegistrarOptions) {
    this.#options = options;
  }

  /** @returns the task; `undefined` if there is no agent to register one for: the feature is off, or there is no login */
  async run(state: ScopeState, attempt: RegistrationAttempt): Promise<AgentTask | undefined> {
    const { identities } = this.#options;
    const recovered = new Set<Code>();
    let identity = await identities.ensure(callOf(attempt));
    for (let switches = 0; switches <= MAX_SWITCHES; switches += 1) {
      const outcome = await this.#runFor(identity, state, attempt, recovered);
      if ("task" in outcome) return outcome.task;
      identity = outcome.identity;
    }
    throw new AgentIdentityError(
      "cancelled",
      "the login changed repeatedly while the task was registered",
      {
        retryable: true,
      },
    );
  }

  /** Sends the authority one request, to learn the time from its answer. */
  async askTheTime(options: AuthorityCallOptions): Promise<void> {
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
        options,
      );
      clock.observe(response);
    } catch (error) {
      // Without an answer there is no time to learn, and the refusal stands.
      if (!CountersignError.is(error)) throw error;
    }
  }

  // Works for one agent and the agents that replace it. Returns the task, or the identity of the current login if the login has changed.
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
      const human = new OwnerLogin(identities, identity);
      try {
        const input = { ...this.#options, state, identity, human: () => human.current(), attempt };
        const task = await obtainTask(input);
        if (task !== undefined) this.#unproven.delete(identity.agentRuntimeId);
        const current = await identities.ensure(callOf(attempt));
        // If the login has changed, the task stays stored for its own agent, and the agent of the current login gets another one.
        const isCurrent = current !== undefined && isSameAgent(current, identity);
        return isCurrent && task !== undefined ? { task } : { identity: current };
      } catch (error) {
        if (signal.aborted) throw error;
        const now = await human.now();
        // A failure of an agent whose login has ended is ignored.
        if (now === "switched") return { identity: await identities.ensure(callOf(attempt)) };
        const isRenewed = human.used !== undefined && human.used !== now?.accessToken;
        if (!(isRenewed && isUnauthenticated(error) && !recovered.has(error.code))) {
          identity = await this.#afterRefusal(error, identity, recovered, attempt);
        } else {
          // The previous token was refused, and the human has logged in again since: the new token is tried.
          recovered.add(error.code);
        }
      }
    }
    return { task: undefined };
  }

  // Returns the agent to try again with. Each remedy is applied once; otherwise the error is thrown.
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
        // The key was rotated by another process, or by a rotation of this one that was cut off and is finished now.
        const rotated = await identities.finishRotation(identity, callOf(attempt));
        if (rotated === undefined) throw error;
        return rotated;
      }
      case "correct_time": {
        if (!hasInRow(code, "onRegistration", onRegistration)) throw error;
        const learned = await clock.learn(code, clock.offsetSeconds, () =>
          this.askTheTime({ signal: attempt.signal, requestId: attempt.patience().requestId }),
        );
        if (!learned) throw error;
        return identity;
      }
      case "hand_up":
        if (code === "agent_revoked") identities.noteRevoked(identity);
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
