import type { Dispatcher } from "undici";

type RawFields = NonNullable<Dispatcher.DispatchController["rawHeaders"]> | null;

/**
 * The controller that the caller's handler keeps through all attempts. It hands everything on to that of the attempt which is under way,
 * and works while there is none.
 */
export class StableController implements Dispatcher.DispatchController {
  readonly #onAbort: (reason: Error) => void;
  #target: Dispatcher.DispatchController | undefined;
  #paused = false;
  #reason: Error | null = null;
  #aborted = false;

  constructor(onAbort: (reason: Error) => void) {
    this.#onAbort = onAbort;
  }

  /** Follows another attempt from now on. */
  follow(target: Dispatcher.DispatchController): void {
    this.#target = target;
    if (this.#paused) target.pause();
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  get rawHeaders(): RawFields {
    return this.#target?.rawHeaders ?? null;
  }

  get rawTrailers(): RawFields {
    return this.#target?.rawTrailers ?? null;
  }

  abort(reason?: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason ?? new DOMException("the request was aborted", "AbortError");
    this.#onAbort(this.#reason);
  }

  pause(): void {
    this.#paused = true;
    this.#target?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#target?.resume();
  }
}
