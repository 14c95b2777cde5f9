import { AgentTaskError } from "@countersign/agent-task";

/** Counts turns and requests, so that closing can wait for them. */
export class WorkInFlight {
  readonly #turns = new Set<Promise<unknown>>();
  readonly #requests = new Set<Promise<unknown>>();
  #refusesTurns = false;
  #refusesRequests = false;

  /** Begins a turn. @throws {AgentTaskError} `cancelled` once it is closing */
  async turn<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#refusesTurns) throw closedError();
    return await counted(this.#turns, begin());
  }

  /** Sends a request. @throws {AgentTaskError} `cancelled` once the last turn has ended after it was closed */
  async request<T>(send: () => Promise<T>): Promise<T> {
    if (this.#refusesRequests) throw closedError();
    return await counted(this.#requests, send());
  }

  /** Refuses new turns, then new requests, and waits for those that are in flight. Their failures are their callers'. */
  async close(): Promise<void> {
    this.#refusesTurns = true;
    // A turn sends its requests to its end.
    await Promise.allSettled(this.#turns);
    this.#refusesRequests = true;
    await Promise.allSettled(this.#requests);
  }
}

async function counted<T>(all: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  all.add(work);
  try {
    return await work;
  } finally {
    all.delete(work);
  }
}

/** What a closed agent refuses with. */
export function closedError(): AgentTaskError {
  return new AgentTaskError("cancelled", "the agent was closed", {
    hint: "connect it again for further turns",
  });
}
