import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { expect, test, vi } from "vitest";
import { assertionInterceptor } from "../src/undici.js";
import { ScriptedSource } from "./signed-fetch.js";

const ORIGIN = "https://api.example";

/** What undici hands to one attempt. */
function createController() {
  const controller = {
    ...{ aborted: false, paused: false, reason: null, rawHeaders: null, rawTrailers: null },
    abort: vi.fn(),
    pause: vi.fn(),
    resume: vi.fn(),
  };
  return controller satisfies Dispatcher.DispatchController;
}

/** A signed request whose attempts this test drives in undici's place. */
async function begin(options: Partial<Dispatcher.DispatchOptions> = {}, change: object = {}) {
  const attempts: Required<Dispatcher.DispatchHandler>[] = [];
  const below = (_: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
    attempts.push(handler as Required<Dispatcher.DispatchHandler>);
    return true;
  };
  const caller = {
    onRequestStart: vi.fn<(controller: Dispatcher.DispatchController) => void>(),
    onResponseStart: vi.fn(),
    onResponseData: vi.fn(),
    onResponseEnd: vi.fn(),
    onResponseError: vi.fn(),
    ...change,
  };
  const source = new ScriptedSource();
  const request = { origin: ORIGIN, path: "/", method: "GET" as const, ...options };
  assertionInterceptor(source, { origins: [ORIGIN] })(below)(request, caller);
  await expect.poll(() => attempts).toHaveLength(1);
  const [attempt = expect.fail()] = attempts;
  const [[own = expect.fail()] = []] = caller.onRequestStart.mock.calls;
  return { attempt, caller, own };
}

test("leaves no listener on a body once undici has it", async () => {
  const body = Readable.from(["x"]);
  const before = body.listenerCount("error");
  await begin({ method: "POST", body });
  await expect.poll(() => body.listenerCount("error")).toBe(before);
});

test("aborts an attempt that begins after its caller gave up, and hands up nothing of its answer", async () => {
  const { attempt, caller, own } = await begin();
  const reason = new Error("given up");
  own.abort(reason);
  expect(caller.onResponseError.mock.calls).toEqual([[own, reason]]);
  const controller = createController();
  attempt.onRequestStart(controller, null);
  expect(controller.abort.mock.calls).toEqual([[reason]]);
  attempt.onResponseStart(controller, 200, {}, "OK");
  attempt.onResponseData(controller, Buffer.from("late"));
  attempt.onResponseEnd(controller, {});
  attempt.onResponseError(controller, reason);
  expect(caller.onResponseStart).not.toHaveBeenCalled();
  expect(caller.onResponseData).not.toHaveBeenCalled();
  expect(caller.onResponseEnd).not.toHaveBeenCalled();
  expect(caller.onResponseError).toHaveBeenCalledTimes(1);
});

const REFUSED = { "www-authenticate": 'AgentAssertion error="bad_signature"' };

test.each([
  ["goes on where its caller pauses", true, false],
  ["goes on by itself where its caller does not", false, false],
  ["is not resumed once it is whole", false, true],
])("a 401 that is handed up %s", async (_, isPausing, isWhole) => {
  const onResponseStart = vi.fn((controller: Dispatcher.DispatchController) => {
    if (isPausing) controller.pause();
  });
  const { attempt, caller } = await begin({}, { onResponseStart });
  const controller = createController();
  attempt.onRequestStart(controller, null);
  attempt.onResponseStart(controller, 401, REFUSED, "Unauthorized");
  attempt.onResponseData(controller, Buffer.from("no"));
  if (isWhole) attempt.onResponseEnd(controller, {});
  await expect.poll(() => onResponseStart.mock.calls).toHaveLength(1);
  expect(caller.onResponseData.mock.calls.map(([, chunk]) => String(chunk))).toEqual(["no"]);
  expect(caller.onResponseEnd).toHaveBeenCalledTimes(isWhole ? 1 : 0);
  expect(controller.resume).toHaveBeenCalledTimes(isPausing || isWhole ? 0 : 1);
});
