import { setMaxListeners } from "node:events";
import type { AgentTaskManager, TaskOfAgentEvent } from "@countersign/agent-task";
import { closedError } from "./work-in-flight.js";

/** The signal of all threads: it aborts when the authority says that the agent was revoked, and when the agent is closed. */
export class AgentEnd {
  #controller = createController();
  #agentRuntimeId: string | undefined;
  #isClosed = false;

  constructor(tasks: AgentTaskManager) {
    const atWork = ({ agentRuntimeId }: { readonly agentRuntimeId: string }) => {
      this.#agentRuntimeId = agentRuntimeId;
    };
    const hasTask = (event: TaskOfAgentEvent) => {
      // After another login another agent is at work, which was not ended.
      if (this.#controller.signal.aborted && !this.#isClosed) this.#controller = createController();
      atWork(event);
    };
    tasks.on("registering", atWork);
    tasks.on("registered", hasTask);
    tasks.on("reused", hasTask);
    tasks.on("failed", ({ error }) => {
      const { code, agentRuntimeId = this.#agentRuntimeId } = error;
      // The late word about the agent of a previous login ends nothing of the current one.
      if (code === "agent_revoked" && agentRuntimeId === this.#agentRuntimeId) {
        this.#controller.abort(error);
      }
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  closed(): void {
    this.#isClosed = true;
    this.#controller.abort(closedError());
  }
}

function createController(): AbortController {
  const controller = new AbortController();
  // Every request of every thread may listen.
  setMaxListeners(0, controller.signal);
  return controller;
}
