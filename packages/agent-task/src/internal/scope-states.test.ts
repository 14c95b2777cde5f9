import { afterEach, expect, test, vi } from "vitest";
import { RUN } from "../agent-task.js";
import { ScopeState, ScopeStates } from "./scope-states.js";

const MAX_STATES = 10_000;

afterEach(() => {
  vi.restoreAllMocks();
});

function fullStates(): ScopeStates {
  const states = new ScopeStates();
  for (let i = 0; i < MAX_STATES; i += 1) states.get(`thread-${i}`);
  return states;
}

test("drops the oldest state for a new one, and keeps the others", () => {
  const states = fullStates();
  const [first, second] = states.all();
  states.get("another");
  expect(states.all()).toHaveLength(MAX_STATES);
  expect(states.get("thread-1")).toBe(second);
  expect(states.get("thread-0")).not.toBe(first);
});

test("drops neither what is busy nor the run, and drops an idle one in its place", () => {
  const states = new ScopeStates();
  const run = states.get(RUN);
  const busy = states.get("busy");
  vi.spyOn(busy, "idle", "get").mockReturnValue(false);
  for (let i = 0; i < 2 * MAX_STATES; i += 1) states.get(`thread-${i}`);
  expect(states.all()).toHaveLength(MAX_STATES);
  expect(states.get(RUN)).toBe(run);
  expect(states.get("busy")).toBe(busy);
});

test("looks at a few states alone to make room, however many are busy", () => {
  const states = fullStates();
  const idle = vi.spyOn(ScopeState.prototype, "idle", "get").mockReturnValue(false);
  for (let i = 0; i < 100; i += 1) states.get(`busy-${i}`);
  expect(states.all()).toHaveLength(MAX_STATES + 100);
  expect(idle.mock.calls.length).toBeLessThanOrEqual(1000);
  idle.mockReturnValue(true);
  for (let i = 0; i < 20; i += 1) states.get(`later-${i}`);
  expect(states.all()).toHaveLength(MAX_STATES);
});
