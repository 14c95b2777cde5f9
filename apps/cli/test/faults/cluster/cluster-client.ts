import { setTimeout as wait } from "node:timers/promises";
import { AssertionSigner } from "@countersign/agent-assertion";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { type AgentTask, AgentTaskManager, TaskRegistrationError } from "@countersign/agent-task";
import type { SeededRandom } from "@countersign/testing";

const THREADS = 3;
const PAUSE_MS = 60;
// As many as a client of protocol §10 makes: one, and up to three more after a passing trouble.
const MAX_TRIES = 4;

/** Where a client sends its turns, and how it proves its human. */
export interface ClientWorld {
  readonly authority: string;
  readonly origin: string;
  readonly accessToken: string;
  readonly userId: string;
}

/** What all clients of a cluster saw. */
export class Observations {
  turns = 0;
  twins = 0;
  /** Troubles that passed, by code: the same turn succeeded with one of its next tries. */
  readonly recovered = new Map<string, number>();
  /** What no next try of the client's own rules recovered. */
  readonly failures: string[] = [];
  /** Tasks that clients were given. */
  readonly tasks = new Map<string, AgentTask>();
}

/** One user with one agent at a time: an agent that the operator revoked is followed by another one. */
export class ClusterClient {
  readonly #world: ClientWorld;
  readonly #random: SeededRandom;
  readonly #seen: Observations;
  readonly #signer = new AssertionSigner();
  #agent: Agent;
  #generation = 0;
  /** Agents that the operator stops: they are not to work again, and that is no failure. */
  readonly #revoked: ReadonlySet<string>;

  constructor(
    world: ClientWorld,
    random: SeededRandom,
    seen: Observations,
    revoked: ReadonlySet<string>,
  ) {
    this.#world = world;
    this.#random = random;
    this.#seen = seen;
    this.#revoked = revoked;
    this.#agent = new Agent(world);
  }

  /** A task that it works in, if it has one. */
  async currentTask(): Promise<AgentTask | undefined> {
    return await this.#agent.tasks.peek(this.#threadId(this.#random.below(THREADS)));
  }

  /** Sends turns until it is told to stop. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const kind = this.#random.below(20);
      if (kind === 0) await this.#registerTwice();
      else if (kind === 1) await this.#startOver();
      else if (kind === 2) await this.#agent.tasks.forget(this.#threadId(0));
      else await this.#turn(this.#threadId(this.#random.below(THREADS)));
      await wait(this.#random.below(PAUSE_MS));
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #turn(threadId: string): Promise<void> {
    await this.#recovering(async () => {
      const thread = this.#agent.tasks.thread(threadId);
      const { origin } = this.#world;
      const api = withAssertion(fetch, thread, { origins: [origin], signer: this.#signer });
      const answer = await api(`${origin}/v1/turns`, {
        method: "POST",
        body: "turn",
        headers: { "x-sent-at": String(Date.now()) },
      });
      const text = await answer.text();
      if (answer.status !== 200) throw new RefusedTurn(answer.status, text);
      const task = await thread.ensure();
      if (task !== undefined) this.#seen.tasks.set(task.taskId, task);
    });
    this.#seen.turns += 1;
  }

  // Two processes of one installation that come upon the same thread at the same moment.
  async #registerTwice(): Promise<void> {
    this.#generation += 1;
    const id = `twin-${this.#generation}`;
    await this.#recovering(async () => {
      const { tasks, otherTasks } = this.#agent;
      const both = await Promise.all([tasks.ensure(id), otherTasks.ensure(id)]);
      const ids = new Set(both.map((task) => task?.taskId));
      if (ids.size !== 1) throw new Error(`one thread has the tasks ${[...ids].join(" and ")}`);
    });
    this.#seen.twins += 1;
  }

  async #recovering(run: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await run();
        return;
      } catch (error) {
        const { code, isPassing, retryAfterMs, agentRuntimeId = "" } = describe(error);
        if (code === "agent_revoked" && this.#revoked.has(agentRuntimeId)) {
          // Its human starts over with another one.
          await this.#startOver();
          continue;
        }
        if (!isPassing || tries >= MAX_TRIES) {
          this.#seen.failures.push(`${code} after ${tries} tries: ${String(error)}`);
          return;
        }
        const { recovered } = this.#seen;
        recovered.set(code, (recovered.get(code) ?? 0) + 1);
        await wait(retryAfterMs);
      }
    }
  }

  async #startOver(): Promise<void> {
    await this.#agent.close();
    this.#agent = new Agent(this.#world);
  }

  #threadId(index: number): string {
    return `thread-${index}`;
  }
}

/** One agent, with two task managers on it. */
class Agent {
  readonly tasks: AgentTaskManager;
  readonly otherTasks: AgentTaskManager;
  readonly #identities: AgentIdentityManager;

  constructor({ authority, userId, accessToken }: ClientWorld) {
    this.#identities = new AgentIdentityManager({
      authority,
      auth: fixedAuth({ kind: "human", accountId: "acct-1", userId, accessToken }),
      store: memoryStore(),
      features: { isEnabled: () => true },
    });
    this.tasks = new AgentTaskManager({ identities: this.#identities });
    this.otherTasks = new AgentTaskManager({ identities: this.#identities });
  }

  async close(): Promise<void> {
    await this.tasks.close();
    await this.otherTasks.close();
    await this.#identities.close();
  }
}

/** An answer of the gateway that is no success. */
class RefusedTurn extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, text: string) {
    super(`${status} ${text}`);
    this.status = status;
    this.code = JSON.parse(text).code ?? "none";
  }
}

interface Trouble {
  readonly code: string;
  /** Whether protocol §10 has the client try again. */
  readonly isPassing: boolean;
  readonly retryAfterMs: number;
  readonly agentRuntimeId?: string | undefined;
}

function describe(error: unknown): Trouble {
  if (TaskRegistrationError.is(error)) {
    const { code, retryable, agentRuntimeId } = error;
    return { code, isPassing: retryable, retryAfterMs: 250, agentRuntimeId };
  }
  if (error instanceof RefusedTurn) {
    const { code, status } = error;
    return { code, isPassing: status === 503, retryAfterMs: 1000 };
  }
  // What `fetch` says of a connection that broke.
  const isConnection = error instanceof TypeError && /fetch failed|terminated/.test(error.message);
  return {
    code: isConnection ? "unreachable" : "unknown",
    isPassing: isConnection,
    retryAfterMs: 250,
  };
}
