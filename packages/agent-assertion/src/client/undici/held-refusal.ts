import type { Code } from "@countersign/agent-key";
import { MAX_PROBLEM_BYTES, refusalCode } from "@countersign/agent-key/problem";
import type { Dispatcher } from "undici";
import type { KnownHandler } from "./handler-forms.js";

type Controller = Dispatcher.DispatchController;
type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];
type End =
  | { readonly kind: "ended"; readonly trailers: Headers }
  | { readonly kind: "failed"; readonly error: Error };

/** A 401 whose fate is open: kept, as far as it is short, until it is handed up or dropped. */
export class HeldRefusal {
  readonly #controller: Controller;
  readonly #status: number;
  readonly #headers: Headers;
  readonly #statusMessage: string | undefined;
  readonly #chunks: Buffer[] = [];
  readonly #read = Promise.withResolvers<void>();
  #size = 0;
  #end: End | undefined;
  #onDropped: (() => void) | undefined;

  constructor(controller: Controller, status: number, headers: Headers, statusMessage?: string) {
    this.#controller = controller;
    this.#status = status;
    this.#headers = headers;
    this.#statusMessage = statusMessage;
  }

  /** Why the server refused. Waits for the body only when it may say so. */
  code(): Promise<Code | undefined> {
    const fields = {
      wwwAuthenticate: text(this.#headers["www-authenticate"]),
      contentType: text(this.#headers["content-type"]),
    };
    return refusalCode(fields, async () => {
      await this.#read.promise;
      return this.#size > MAX_PROBLEM_BYTES ? "" : Buffer.concat(this.#chunks).toString("utf8");
    });
  }

  data(chunk: Buffer): void {
    this.#size += chunk.length;
    const isLong = this.#size > MAX_PROBLEM_BYTES;
    if (this.#onDropped !== undefined) {
      if (isLong) this.#giveUp();
      return;
    }
    this.#chunks.push(chunk);
    if (!isLong) return;
    this.#controller.pause();
    this.#read.resolve();
  }

  end(end: End): void {
    this.#end = end;
    this.#read.resolve();
    this.#onDropped?.();
  }

  /** Reads the rest, if it is short, so that the connection can be used again; then calls back, once. */
  drop(onDropped: () => void): void {
    if (this.#end !== undefined) {
      onDropped();
      return;
    }
    this.#onDropped = onDropped;
    if (this.#size > MAX_PROBLEM_BYTES) this.#giveUp();
  }

  /** Hands everything to the caller's handler; what is still to come goes there by itself. */
  handUp(handler: KnownHandler, controller: Controller): void {
    const end = this.#end;
    try {
      handler.onResponseStart?.(controller, this.#status, this.#headers, this.#statusMessage);
      for (const chunk of this.#chunks) handler.onResponseData?.(controller, chunk);
      if (end?.kind === "ended") handler.onResponseEnd?.(controller, end.trailers);
    } catch (error) {
      // As undici has it: what a handler throws ends its request, and is told to it.
      const reason = error instanceof Error ? error : new Error(String(error));
      if (end === undefined) this.#controller.abort(reason);
      else handler.onResponseError(controller, reason);
      return;
    }
    if (end?.kind === "failed") handler.onResponseError(controller, end.error);
    if (end === undefined && !controller.paused) this.#controller.resume();
  }

  #giveUp(): void {
    this.#controller.abort(new Error("the rest of a refusal is not read"));
  }
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}
