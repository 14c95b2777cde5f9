import type { IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import type { RequestFraming } from "../head/request-framing.js";
import { bodyTooLarge } from "../head/request-head.js";

/** Options of {@link RequestBody}. */
export interface RequestBodyOptions {
  readonly request: IncomingMessage;
  /** Whether the framing says that there is no body. */
  readonly isEmpty: boolean;
  /** The longest body that is served, in bytes. */
  readonly maxBytes: number;
  /** Called once, just before the first byte is asked for. */
  readonly onStart: () => void;
  /** Called with the number of bytes that arrived. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Called with the number of bytes that arrived of a body that is read whole; throws if they may not be held. */
  readonly onHeld?: ((bytes: number) => void) | undefined;
  /** Called when what was held is given up, because the body will not be sent any more. */
  readonly onForgotten?: (() => void) | undefined;
  /** Called if the body is longer than `maxBytes`, or may not be held. */
  readonly onFailure: (error: unknown) => void;
}

/** Called while a {@link RequestBody} is sent to its receiver. */
export interface SendEvents {
  /** Bytes arrived, or the receiving side caught up. */
  readonly onProgress: () => void;
  /** The whole body was sent. The receiving side is still open, for trailers. */
  readonly onEnd: () => void;
}

/**
 * A client's body. It is either sent on as it comes, each piece at once, at the pace of the receiver, or read whole before it is sent. A copy
 * of a short body can be kept, so that it can be sent once more.
 */
export class RequestBody {
  readonly #options: RequestBodyOptions;
  #keepBytes = 0;
  // From the first byte on; absent once the body is longer than what is kept.
  #copy: Buffer[] | undefined = [];
  // Read while there was no receiver.
  #unsent: Buffer[] = [];
  #bytes = 0;
  #isStarted = false;
  #isHeld = false;
  #isRead: boolean;
  #stopSending: (() => void) | undefined;
  #receiver: Writable | undefined;
  #onProgress: (() => void) | undefined;
  #onChange: (() => void) | undefined;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
    this.#isRead = options.isEmpty;
  }

  /** Whether any of it was asked for. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /**
   * Returns how to frame the body for the receiver: as the client framed it. The exception is a body in chunks without trailers that was read
   * whole: its length is known, so it is sent with a length, which also says whether the body is empty.
   */
  framing(ofClient: RequestFraming): RequestFraming {
    const hasTrailers = this.#options.request.rawTrailers.length > 0;
    if (ofClient.kind !== "chunked" || !this.#isRead || hasTrailers) return ofClient;
    return { kind: "length", length: this.#bytes };
  }

  /** Keeps a copy of up to this many bytes. To be called before the body is started. */
  keep(bytes: number): void {
    this.#keepBytes = Math.max(this.#keepBytes, bytes);
  }

  /**
   * Reads the whole body before any of it is sent.
   *
   * @throws {RequestRefusal} `invalid_request` with status 413 if it is longer than `maxBytes`
   */
  async read(maxBytes: number): Promise<Buffer> {
    this.keep(maxBytes);
    this.#isHeld = true;
    this.#start();
    this.#flow();
    while (!this.#isRead && this.#copy !== undefined) await this.#changed();
    const bytes = Buffer.concat(this.#copy ?? []);
    if (this.#copy === undefined || bytes.length > maxBytes) throw bodyTooLarge();
    return bytes;
  }

  /** Sends it on: what was read already, then the rest as it comes. */
  sendTo(receiver: Writable, events: SendEvents): void {
    this.#start();
    const onDrain = (): void => {
      events.onProgress();
      this.#options.request.resume();
    };
    receiver.on("drain", onDrain);
    this.#receiver = receiver;
    this.#onProgress = events.onProgress;
    const stop = (): void => {
      receiver.off("drain", onDrain);
      this.#options.request.off("end", onEnd);
      this.#receiver = undefined;
      this.#stopSending = undefined;
    };
    const onEnd = (): void => {
      stop();
      events.onEnd();
    };
    this.#stopSending = stop;
    for (const chunk of this.#unsent.splice(0)) receiver.write(chunk);
    if (this.#isRead) onEnd();
    else {
      this.#options.request.once("end", onEnd);
      if (!receiver.writableNeedDrain) this.#options.request.resume();
    }
  }

  /** Stops sending, and goes on reading as long as a copy can be kept. The bytes that are read until the next `sendTo` go to its receiver. */
  hold(): void {
    this.#stopSending?.();
    if (this.#isStarted && !this.#isRead) this.#flow();
  }

  /** Gives up what is kept of a body that was read whole and sent. */
  forget(): void {
    if (!this.#isRead || this.#unsent.length > 0) return;
    this.#copy = undefined;
    this.#options.onForgotten?.();
  }

  /** Lets go of the request, for good. */
  stop(): void {
    this.#stopSending?.();
    this.#options.request.off("data", this.#take);
    this.#copy = undefined;
    this.#unsent = [];
    this.#onChange?.();
  }

  /** Waits, after {@link RequestBody.hold}, until it is known whether the body can be sent once more from its first byte. */
  async canRepeat(): Promise<boolean> {
    if (!this.#isStarted) return true;
    while (!this.#isRead && this.#copy !== undefined) await this.#changed();
    return this.#copy !== undefined;
  }

  /** Makes the next {@link RequestBody.sendTo} begin with the first byte again. Only after {@link RequestBody.canRepeat} said yes. */
  rewind(): void {
    this.#unsent = [...(this.#copy ?? [])];
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (this.#isRead) return;
    const { request, onStart } = this.#options;
    onStart();
    request.on("data", this.#take);
    request.pause();
    request.once("end", () => {
      this.#isRead = true;
      this.#onChange?.();
    });
  }

  readonly #take = (chunk: Buffer): void => {
    const { request, maxBytes, onFailure } = this.#options;
    this.#bytes += chunk.length;
    this.#options.onBytes?.(chunk.length);
    this.#onProgress?.();
    if (this.#bytes > maxBytes) {
      onFailure(bodyTooLarge());
      return;
    }
    try {
      if (this.#isHeld) this.#options.onHeld?.(chunk.length);
    } catch (error) {
      onFailure(error);
      return;
    }
    if (this.#bytes > this.#keepBytes) this.#copy = undefined;
    this.#copy?.push(chunk);
    const receiver = this.#receiver;
    if (receiver === undefined) {
      this.#unsent.push(chunk);
      this.#flow();
    } else if (!receiver.write(chunk)) request.pause();
    this.#onChange?.();
  };

  // Without a receiver, more than what is kept is not read.
  #flow(): void {
    if (this.#copy === undefined) this.#options.request.pause();
    else this.#options.request.resume();
  }

  async #changed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onChange = resolve;
    });
    this.#onChange = undefined;
  }
}
