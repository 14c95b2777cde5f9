import { PassThrough } from "node:stream";
import type { Dispatcher } from "undici";
import { expect, test, vi } from "vitest";
import { AttemptController } from "./attempt-controller.js";
import { callerHandler, TwoFormHandler } from "./handler-forms.js";
import { UnseenRedirects } from "./unseen-redirects.js";
import { fieldRecord } from "./wire-fields.js";

const minimal = { onRequestStart() {}, onResponseError() {} };
const callbacks = { onConnect() {}, onError() {} };
const from = { url: new URL("https://api.example"), headers: {} };

test.each<[string, Dispatcher.DispatchHandler]>([
  ["in the form of undici 7 and 8", new TwoFormHandler(minimal)],
  ["whose redirects are noted", new UnseenRedirects(() => true).watch(from, minimal)],
  ["in the form of undici 6", callerHandler(callbacks).handler],
])("a handler that asks for no event may be told of each: %s", (_, handler) => {
  const controller = new AttemptController(() => {});
  handler.onRequestStart?.(controller, null);
  handler.onRequestSent?.();
  handler.onBodySent?.(Buffer.from("body"));
  handler.onResponseStarted?.();
  handler.onRequestUpgrade?.(controller, 101, {}, new PassThrough());
  handler.onResponseStart?.(controller, 200, {});
  handler.onResponseData?.(controller, Buffer.from("body"));
  handler.onResponseEnd?.(controller, {});
  handler.onResponseError?.(controller, new Error("late"));
  expect(controller).toMatchObject({ paused: false, aborted: false });
});

test("a dispatcher of undici 6 may tell a handler that asks for no event of each", () => {
  const handler = new TwoFormHandler(minimal);
  handler.onConnect(() => {}, null);
  handler.onUpgrade(101, [], new PassThrough());
  expect(handler.onHeaders(200, [], () => {})).toBe(true);
  expect(handler.onData(Buffer.from("body"))).toBe(true);
  handler.onComplete([]);
  handler.onError(new Error("late"));
});

test("a dispatcher of undici 6 sends nothing more to a handler that paused, until it resumes", () => {
  const started = vi.fn();
  const handler = new TwoFormHandler({
    ...minimal,
    onRequestStart: started,
    onResponseStart: (controller) => controller.pause(),
  });
  const resume = vi.fn();
  handler.onConnect(() => {}, null);
  expect(handler.onHeaders(200, [], resume)).toBe(false);
  expect(handler.onData(Buffer.from("body"))).toBe(false);
  started.mock.lastCall?.[0].resume();
  expect(resume).toHaveBeenCalledOnce();
  expect(handler.onData(Buffer.from("body"))).toBe(true);
});

test("fields are read as undici decodes them, whether they come as bytes or as text", () => {
  const fields = [Buffer.from("X-Own"), Buffer.from("\u00e4", "latin1"), "X-Own", "\u00e4"];
  expect(fieldRecord(fields)).toEqual({ "x-own": ["\u00e4", "\u00e4"] });
});
