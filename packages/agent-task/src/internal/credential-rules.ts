import type { AgentIdentity, HumanAuth } from "@countersign/agent-identity";
import {
  type AgentCredential,
  type BearerCredential,
  type Credential,
  type CredentialRefusal,
  hideMembers,
  type NoCredential,
} from "@countersign/agent-key";
import { type CodeWith, codeRow, hasInRow } from "@countersign/agent-key/codes";
import { type AgentTask, RUN, type TaskScope } from "../agent-task.js";
import { AgentTaskError } from "../agent-task-error.js";
import type { FailurePolicy, ThreadCredentials, ThreadOptions, Turn } from "../agent-thread.js";
import { TaskRegistrationError } from "../task-registration-error.js";
import { isSameSigner } from "./is-same-agent.js";
import { checkOptions, PATIENCE } from "./options.js";
import { fewAttempts } from "./registration-attempt.js";
import type { TaskKeeper } from "./task-keeper.js";
import type { WaitOptions } from "./turn-deadlines.js";

const NO_CREDENTIAL: NoCredential = Object.freeze({ kind: "none", reason: "feature_off" });

/** What {@link CredentialRules} works with. */
export interface CredentialRulesOptions {
  readonly keeper: TaskKeeper;
  readonly onFailure: FailurePolicy;
  /** Canonical origins. */
  readonly bearerOrigins: readonly string[];
}

interface RecoveryWait extends WaitOptions {
  readonly remainingMs: () => number;
}

interface Principal {
  readonly accountId: string;
  readonly userId: string;
}

/** Decides what a request is authorised with, and what a refusal leads to. */
export class CredentialRules implements ThreadCredentials {
  readonly #options: CredentialRulesOptions;
  // The account and user that each credential was given for: a replayed request is never signed for another user.
  readonly #principals = new WeakMap<Credential, Principal>();
  readonly #made = new WeakMap<AgentTask, AgentCredential>();

  constructor(options: CredentialRulesOptions) {
    this.#options = options;
  }

  async turn(scope: TaskScope, options: ThreadOptions = {}): Promise<Turn> {
    checkOptions(options, PATIENCE);
    const { keeper, bearerOrigins } = this.#options;
    const { identities } = keeper.options;
    keeper.state(scope);
    const isOff = !identities.enabled;
    // A harness with the feature off behaves as if this package were not there: the login is not read, so that no error of it can fail a turn.
    if (isOff && bearerOrigins.length === 0) return { credential: NO_CREDENTIAL };
    const wait = { ...options, remainingMs: keeper.deadlines.countdown(options) };
    const held = isOff ? undefined : await keeper.held(scope, wait);
    if (held !== undefined) {
      const { task, identity } = held;
      return { task, credential: this.#credentialOf(task, identity) };
    }
    const auth = await this.#auth(scope, wait);
    if (auth === undefined) throw notLoggedIn("there is no login");
    if (isOff) {
      // An agent's own login is an identity with its private key, not a bearer token: it must never be put into a header.
      if (auth.kind !== "human")
        throw notLoggedIn("the login is an agent's and the feature is off");
      return { credential: this.#bearer(auth, { reason: "feature_off" }) };
    }
    let task: AgentTask | undefined;
    try {
      const attempts = this.#hasFallback ? fewAttempts(options.outageMs) : undefined;
      task = await keeper.ensure(scope, { ...wait, attempts });
    } catch (error) {
      return { credential: await this.#fallback(scope, error) };
    }
    if (task === undefined) throw notLoggedIn("the login ended while the task was registered");
    return { task, credential: await this.#agent(task) };
  }

  current(scope: TaskScope, begun: Turn): Turn {
    const { task } = this.#options.keeper.state(scope);
    if (begun.credential.kind !== "agent" || task === undefined) return begun;
    // Another one was made by a recovery: of another task, or of the same task by a corrected clock.
    const credential = this.#made.get(task);
    if (credential === undefined || credential === begun.credential) return begun;
    // The turn does not go on with a task of another login.
    return this.#isForSame(credential, begun.credential) ? { task, credential } : begun;
  }

  async refused(
    scope: TaskScope,
    credential: Credential,
    refusal: CredentialRefusal,
    options: ThreadOptions = {},
  ): Promise<Credential | undefined> {
    checkOptions(options, PATIENCE);
    if (credential.kind !== "agent") return undefined;
    // One deadline for all of it: a refusal never costs a turn two waits in series.
    const wait = { ...options, remainingMs: this.#options.keeper.deadlines.countdown(options) };
    if (!(await this.#isStillAtWork(scope, credential, wait))) return undefined;
    const { code } = refusal;
    // A foreign server gives no code. Of an agent a resource server only hints: the registration that follows asks the authority, and its
    // answer decides.
    if (code === undefined || hasInRow(code, "onAssertion", "new_task")) {
      return await this.#recover(scope, credential, refusal, wait);
    }
    if (hasInRow(code, "onAssertion", "correct_time")) {
      return await this.#correctTime(scope, credential, code, wait);
    }
    if (hasInRow(code, "onAssertion", "follow_rotation")) {
      return await this.#followRotation(scope, credential, wait);
    }
    return undefined;
  }

  accepted(scope: TaskScope, credential: Credential, origin: string): void {
    if (credential.kind !== "agent") return;
    const state = this.#options.keeper.state(scope);
    // If this task has been refused since, a late answer to it says nothing about the task that replaced it.
    if (!state.isRefused(credential)) state.budget.restore(origin);
  }

  async #recover(
    scope: TaskScope,
    credential: AgentCredential,
    refusal: CredentialRefusal,
    wait: RecoveryWait,
  ): Promise<Credential | undefined> {
    const { keeper } = this.#options;
    const state = keeper.state(scope);
    // Concurrent refusals of one task share one recovery.
    if (!state.isRefused(credential)) {
      const current = state.task;
      const replaced = current !== undefined && !isTaskOf(current, credential);
      if (!replaced) {
        if (!state.budget.take(refusal.origin, keeper.options.clock.local())) return undefined;
        const task = current ?? { ...credential, scope, registeredAt: "" };
        await keeper.invalidate(task, refusal.code, wait.remainingMs);
      }
    }
    const task = await keeper.ensure(scope, wait);
    return task === undefined ? undefined : await this.#forSamePrincipal(task, credential);
  }

  async #correctTime(
    scope: TaskScope,
    credential: AgentCredential,
    code: CodeWith<"onAssertion", "correct_time">,
    wait: RecoveryWait,
  ): Promise<Credential | undefined> {
    const { keeper } = this.#options;
    const used = credential.clockOffsetSeconds ?? 0;
    if (used === keeper.options.clock.offsetSeconds) {
      if (!(await keeper.learnTime(code, used, wait))) return undefined;
    }
    const task = await keeper.ensure(scope, wait);
    return task === undefined ? undefined : await this.#forSamePrincipal(task, credential);
  }

  // A refused signature is recovered from only if the agent's key was rotated: by another process, or by a rotation of this one that was cut
  // off and is finished now. Otherwise the refusal stands.
  async #followRotation(
    scope: TaskScope,
    credential: AgentCredential,
    wait: RecoveryWait,
  ): Promise<Credential | undefined> {
    const { keeper } = this.#options;
    if (!(await keeper.isRotated(scope, credential, wait))) return undefined;
    const task = await keeper.ensure(scope, wait);
    return task === undefined ? undefined : await this.#forSamePrincipal(task, credential);
  }

  // Whether the login is still the one that the credential was given for. If not, the refusal of the earlier login's request must not register
  // anything for the new login.
  async #isStillAtWork(
    scope: TaskScope,
    credential: AgentCredential,
    wait: RecoveryWait,
  ): Promise<boolean> {
    const auth = await this.#auth(scope, wait);
    if (auth === undefined) return false;
    const was = this.#principals.get(credential);
    if (auth.kind === "agent") return isSameSigner(auth.identity, credential);
    return was === undefined || isSamePrincipal(was, auth);
  }

  async #forSamePrincipal(
    task: AgentTask,
    before: AgentCredential,
  ): Promise<Credential | undefined> {
    const next = await this.#agent(task);
    return this.#isForSame(next, before) ? next : undefined;
  }

  #isForSame(next: AgentCredential, before: AgentCredential): boolean {
    const was = this.#principals.get(before);
    const is = this.#principals.get(next);
    return was !== undefined && is !== undefined
      ? isSamePrincipal(was, is)
      : isSameSigner(before, next);
  }

  async #agent(task: AgentTask): Promise<AgentCredential> {
    return this.#credentialOf(task, await this.#options.keeper.options.identities.peek());
  }

  // The same object as long as nothing in it changes. Frozen, because all requests of the thread share it.
  #credentialOf(task: AgentTask, identity: AgentIdentity | undefined): AgentCredential {
    const { offsetSeconds } = this.#options.keeper.options.clock;
    const clockOffsetSeconds = offsetSeconds === 0 ? undefined : offsetSeconds;
    const principal = identity !== undefined && isSameSigner(identity, task) ? identity : undefined;
    const made = this.#made.get(task);
    if (
      made !== undefined &&
      made.clockOffsetSeconds === clockOffsetSeconds &&
      isSamePrincipal(this.#principals.get(made), principal)
    ) {
      return made;
    }
    const { authority, agentRuntimeId, taskId, key, scope } = task;
    const credential: AgentCredential = Object.freeze({
      kind: "agent",
      authority,
      agentRuntimeId,
      taskId,
      key,
      clockOffsetSeconds,
      ...(scope === RUN ? {} : { threadId: scope }),
    });
    if (principal !== undefined) {
      const { accountId, userId } = principal;
      this.#principals.set(credential, { accountId, userId });
    }
    this.#made.set(task, credential);
    return credential;
  }

  get #hasFallback(): boolean {
    const { onFailure, bearerOrigins } = this.#options;
    return onFailure === "bearer" && bearerOrigins.length > 0;
  }

  async #fallback(scope: TaskScope, error: unknown): Promise<Credential> {
    const { bearerOrigins, keeper } = this.#options;
    if (
      !this.#hasFallback ||
      !TaskRegistrationError.is(error) ||
      !codeRow(error.code).allowsFallback
    ) {
      throw error;
    }
    // The auth is read again, because the login may have changed since the registration began.
    const auth = await this.#auth(scope, {});
    if (auth?.kind !== "human") throw error;
    const state = keeper.state(scope);
    // Once for each thread: a fallback may last for a hundred turns. The event `failed` reports each failed registration.
    if (!state.isFallbackTold) {
      state.isFallbackTold = true;
      keeper.options.emit("fallback", { scope, error, origins: bearerOrigins });
    }
    return this.#bearer(auth, { reason: "fallback", error });
  }

  #bearer(
    { accessToken }: HumanAuth,
    why: Pick<BearerCredential, "reason" | "error">,
  ): BearerCredential {
    const { bearerOrigins: origins, keeper } = this.#options;
    const { authority } = keeper.options.identities;
    const bearer: BearerCredential = { kind: "bearer", authority, accessToken, origins, ...why };
    return hideMembers(bearer, "accessToken");
  }

  // A login may take a request to be read: it counts as a part of the turn.
  async #auth(scope: TaskScope, wait: WaitOptions) {
    const { keeper } = this.#options;
    return await keeper.deadlines.settle(scope, wait, keeper.options.identities.auth());
  }
}

function isSamePrincipal(a: Principal | undefined, b: Principal | undefined): boolean {
  return a?.accountId === b?.accountId && a?.userId === b?.userId;
}

function isTaskOf(task: AgentTask, credential: AgentCredential): boolean {
  return task.taskId === credential.taskId && isSameSigner(task, credential);
}

function notLoggedIn(message: string): AgentTaskError {
  return new AgentTaskError("not_logged_in", message, {
    hint: "log in, and try again; nothing was sent, because there is no credential to send",
  });
}
