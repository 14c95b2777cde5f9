/** Fires once when nothing happened for a while. For one request: what may take how long changes as it goes on. */
export class Watchdog {
  readonly #onTimeout: () => void;
  #timer: NodeJS.Timeout | undefined;
  #ms = 0;

  constructor(onTimeout: () => void) {
    this.#onTimeout = onTimeout;
  }

  /** Waits `ms` milliseconds from now on, instead of whatever it waited for. */
  watch(ms: number): void {
    if (this.#timer !== undefined && ms === this.#ms) {
      this.touch();
      return;
    }
    this.stop();
    this.#ms = ms;
    this.#timer = setTimeout(this.#onTimeout, ms);
  }

  /** Says that something happened: the time begins again. */
  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
