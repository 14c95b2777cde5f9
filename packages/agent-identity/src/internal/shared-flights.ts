import { untilAborted } from "@countersign/agent-key";

interface Flight<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
}

/** Lets callers that want the same thing at the same time share one run of it. It is aborted when the last of them has gone. */
export class SharedFlights<T> {
  readonly #flights = new Map<string, Flight<T>>();
  readonly #abortError: (cause: unknown) => Error;

  constructor(abortError: (cause: unknown) => Error) {
    this.#abortError = abortError;
  }

  async join(
    key: string,
    start: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    if (signal?.aborted === true) throw this.#abortError(signal.reason);
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.waiters += 1;
    try {
      return await untilAborted(flight.promise, signal, this.#abortError);
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) {
        this.#remove(key, flight);
        flight.controller.abort(this.#abortError(signal?.reason));
      }
    }
  }

  /** Aborts what runs and waits for its end. */
  async close(): Promise<void> {
    const flights = [...this.#flights.values()];
    for (const { controller } of flights) controller.abort(this.#abortError(undefined));
    await Promise.allSettled(flights.map(({ promise }) => promise));
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { promise: start(controller.signal), controller, waiters: 0 };
    this.#flights.set(key, flight);
    const over = () => this.#remove(key, flight);
    flight.promise.then(over, over);
    return flight;
  }

  #remove(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
