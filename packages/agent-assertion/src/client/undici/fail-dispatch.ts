import type { KnownHandler } from "./handler-forms.js";
import { StableController } from "./stable-controller.js";

/** Ends a request with an error before anything of it is sent. */
export function failDispatch(handler: KnownHandler, error: unknown): void {
  let isOver = false;
  const fail = (reason: Error) => {
    if (isOver) return;
    isOver = true;
    handler.onResponseError(controller, reason);
  };
  const controller = new StableController(fail);
  handler.onRequestStart(controller, null);
  fail(error instanceof Error ? error : new Error(String(error)));
}
