import { untilAborted } from "@countersign/agent-key";

interface Flight {
  readonly result: Promise<string>;
  readonly ending: AbortController;
  waiters: number;
}

/** Signatures that are being made: equal ones are made once. One is given up when its last caller has gone. */
export class SharedSignatures {
  readonly #flights = new Map<string, Flight>();

  /**
   * The signature of this name.
   *
   * @param signal - ends this caller's waiting
   * @param make - makes it, if none of this name is being made; its signal is aborted when no caller waits any more
   */
  async of(
    name: string,
    signal: AbortSignal | undefined,
    make: (alone: AbortSignal) => Promise<string>,
  ): Promise<string> {
    const flight = this.#flights.get(name) ?? this.#start(name, make);
    flight.waiters += 1;
    try {
      return await untilAborted(flight.result, signal);
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) this.#end(name, flight);
    }
  }

  #start(name: string, make: (alone: AbortSignal) => Promise<string>): Flight {
    const ending = new AbortController();
    const flight = { result: make(ending.signal), ending, waiters: 0 };
    this.#flights.set(name, flight);
    return flight;
  }

  #end(name: string, flight: Flight): void {
    if (this.#flights.get(name) === flight) this.#flights.delete(name);
    flight.ending.abort();
  }
}
