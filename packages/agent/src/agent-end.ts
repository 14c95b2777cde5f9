import { setMaxListeners } from "node:events";
import type { AgentTaskManager } from "@countersign/agent-task";
import { closedError } from "./work-in-flight.js";

/** The signal of all threads: it aborts when the authority says that the agent was revoked, and when the agent is closed. */
export class AgentEnd {
  #controller = createController();
  #isClosed = false;

  constructor(tasks: AgentTaskManager) {
    // The operator may have taken the revocation back.
    tasks.on("registered", () => this.#begin());
    // A registration under a previous login fails no turn: it is made again for the current login.
    tasks.on("failed", ({ error }) => {
      if (error.code === "agent_revoked") this.#controller.abort(error);
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Another human is logged in: the agent of that one was not ended. */
  loginChanged(): void {
    this.#begin();
  }

  closed(): void {
    this.#isClosed = true;
    this.#controller.abort(closedError());
  }

  #begin(): void {
    if (this.#controller.signal.aborted && !this.#isClosed) this.#controller = createController();
  }
}

function createController(): AbortController {
  const controller = new AbortController();
  // Every request of every thread may listen.
  setMaxListeners(0, controller.signal);
  return controller;
}
