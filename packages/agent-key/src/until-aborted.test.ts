import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { untilAborted } from "./until-aborted.js";

const never = new Promise<never>(() => {});

test("gives what the promise gives, without a signal and with one", async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(1), undefined)).toBe(1);
  expect(await untilAborted(Promise.resolve(2), signal)).toBe(2);
  await expect(untilAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("rejects with the reason of a signal that is aborted, before the wait or during it", async () => {
  const before = AbortSignal.abort("before");
  await expect(untilAborted(Promise.resolve(1), before)).rejects.toBe("before");
  const controller = new AbortController();
  const waiting = untilAborted(never, controller.signal);
  controller.abort("during");
  await expect(waiting).rejects.toBe("during");
});

test("gives what is there at the moment of an abort", async () => {
  const controller = new AbortController();
  const there = Promise.withResolvers<string>();
  const waiting = untilAborted(there.promise, controller.signal);
  there.resolve("there");
  controller.abort("late");
  expect(await waiting).toBe("there");
});

test("rejects with what the caller makes of the reason", async () => {
  const made = untilAborted(never, AbortSignal.abort("reason"), (reason) => [reason]);
  await expect(made).rejects.toEqual(["reason"]);
});

test("a late rejection is not an unhandled one", async () => {
  const late = Promise.withResolvers<never>();
  await expect(untilAborted(late.promise, AbortSignal.abort("gone"))).rejects.toBe("gone");
  // An unhandled rejection fails the run.
  late.reject(new Error("late"));
  await new Promise(setImmediate);
});
