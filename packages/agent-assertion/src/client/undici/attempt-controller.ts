import type { Dispatcher } from "undici";
import type { WireFields } from "./wire-fields.js";

type RawFields = NonNullable<Dispatcher.DispatchController["rawHeaders"]> | null;

/** The controller of one attempt that undici 6 sends, which has none: it pauses by what callbacks return, and resumes and aborts by functions. */
export class AttemptController implements Dispatcher.DispatchController {
  readonly #abort: (reason?: Error) => void;
  #paused = false;
  #reason: Error | null = null;
  #aborted = false;
  #rawHeaders: WireFields | null = null;
  #rawTrailers: WireFields | null = null;
  /** Continues the answer. */
  onResume: (() => void) | undefined;

  constructor(abort: (reason?: Error) => void) {
    this.#abort = abort;
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

  // The type of undici 8 is that of its own forms.
  get rawHeaders(): RawFields {
    return this.#rawHeaders as RawFields;
  }

  set rawHeaders(fields: WireFields) {
    this.#rawHeaders = fields;
  }

  get rawTrailers(): RawFields {
    return this.#rawTrailers as RawFields;
  }

  set rawTrailers(fields: WireFields) {
    this.#rawTrailers = fields;
  }

  abort(reason: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#abort(reason);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.onResume?.();
  }
}
