import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { nodeTimers, startCountdown } from "./task-timers.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a timer that is stopped runs no more", () => {
  const run = vi.fn();
  nodeTimers.after(10, run);
  nodeTimers.after(10, run)();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(10);
  expect(run).toHaveBeenCalledOnce();
});

test("a countdown returns the time that is left, also after its end", () => {
  const remainingMs = startCountdown(nodeTimers, 100);
  vi.advanceTimersByTime(30);
  expect(remainingMs()).toBe(70);
  vi.advanceTimersByTime(100);
  expect(remainingMs()).toBe(-30);
});
