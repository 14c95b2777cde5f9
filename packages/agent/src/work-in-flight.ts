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

  /** Does work that counts as a turn if its result is a plain promise, as that of an async function is. Never refuses it: it may be a part of a turn. */
  work<T>(begin: () => T): T {
    const result = begin();
    // Only a plain one: an SDK's own promise, or a query that is a thenable, may begin something once it is waited for.
    if (isPlainPromise(result)) counted(this.#turns, result).catch(() => {});
    return result;
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

function isPlainPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise && Object.getPrototypeOf(value) === Promise.prototype;
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
