/** A clock that stands still until it is told to move. */
export class FakeClock {
  #time: number;

  /** @param start - epoch ms. Default 2026-03-23T12:00:00Z. */
  constructor(start: number = Date.UTC(2026, 2, 23, 12)) {
    this.#time = start;
  }

  /** The time, epoch ms. Bound: may be passed as an option. */
  readonly now = (): number => this.#time;

  /** Moves the clock by milliseconds; negative moves it back. */
  advance(ms: number): void {
    this.#time += ms;
  }

  /** Sets the clock to an instant, epoch ms. */
  set(time: number): void {
    this.#time = time;
  }
}
