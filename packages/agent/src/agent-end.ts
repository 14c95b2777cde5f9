import { AsyncLocalStorage } from "node:async_hooks";
import { setMaxListeners } from "node:events";
import type { AgentTaskManager, Turn } from "@countersign/agent-task";
import { closedError } from "./work-in-flight.js";

/** The signals of all threads: they abort when the authority says that the agent was revoked, and when the agent is closed. */
export class AgentEnd {
  readonly #turns = new AsyncLocalStorage<Turn>();
  // By the id of the agent whose turn took the signal. `undefined`: taken outside of every turn, where any agent may be meant.
  readonly #controllers = new Map<string | undefined, AbortController>();
  #isClosed = false;

  constructor(tasks: AgentTaskManager) {
    // A registration under a previous login fails no turn: it is made again for the current login.
    tasks.on("failed", ({ error }) => {
      if (error.code !== "agent_revoked") return;
      for (const agent of new Set([error.agentRuntimeId, undefined])) this.#revoked(agent, error);
    });
  }

  /** Does the work of a turn: the signal that it takes is that of the turn's agent. */
  inTurn<T>(turn: Turn, work: () => T): T {
    return this.#turns.run(turn, work);
  }

  get signal(): AbortSignal {
    const credential = this.#turns.getStore()?.credential;
    const agent = credential?.kind === "agent" ? credential.agentRuntimeId : undefined;
    let controller = this.#controllers.get(agent);
    if (controller === undefined) {
      controller = new AbortController();
      // Every request of every thread may listen.
      setMaxListeners(0, controller.signal);
      this.#controllers.set(agent, controller);
      if (this.#isClosed) controller.abort(closedError());
    }
    return controller.signal;
  }

  closed(): void {
    this.#isClosed = true;
    for (const controller of this.#controllers.values()) controller.abort(closedError());
  }

  // The operator may restore the agent, so the next signal is another one. Only the authority can say whether it aborts too.
  #revoked(agent: string | undefined, error: Error): void {
    const controller = this.#controllers.get(agent);
    if (this.#isClosed) return;
    this.#controllers.delete(agent);
    controller?.abort(error);
  }
}
