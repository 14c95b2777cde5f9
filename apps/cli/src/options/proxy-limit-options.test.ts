import { expect, test } from "vitest";
import { keptOf, timeoutsOf } from "./proxy-limit-options.js";

test("the silence of an upstream is bounded as the options say, else by the proxy itself", () => {
  expect(timeoutsOf({ responseTimeout: "1h", idleTimeout: "90s" })).toEqual({
    responseMs: 3_600_000,
    idleMs: 90_000,
  });
  expect(timeoutsOf({})).toEqual({ responseMs: undefined, idleMs: undefined });
});

test.each(["", "0s", "25h", "90", "-1s", "1.5m", "never"])("%j is no such bound", (text) => {
  for (const [member, option] of [
    ["responseTimeout", "--response-timeout"],
    ["idleTimeout", "--idle-timeout"],
  ] as const) {
    expect(() => timeoutsOf({ [member]: text })).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining(option) }),
    );
  }
});

test("the proxy keeps as much as the options say, else what it keeps by itself", () => {
  expect(keptOf({ maxThreads: "5000", replayBodyBytes: "0" })).toEqual({
    maxThreads: 5_000,
    replayBodyBytes: 0,
  });
  expect(keptOf({})).toEqual({ maxThreads: undefined, replayBodyBytes: undefined });
});

test.each([
  [{ maxThreads: "0" }, "--max-threads"],
  [{ maxThreads: "100001" }, "--max-threads"],
  [{ maxThreads: "1e3" }, "--max-threads"],
  [{ maxThreads: "" }, "--max-threads"],
  [{ replayBodyBytes: "-1" }, "--replay-body-bytes"],
  [{ replayBodyBytes: "1073741825" }, "--replay-body-bytes"],
  [{ replayBodyBytes: "1MiB" }, "--replay-body-bytes"],
])("%j is out of range", (options, option) => {
  expect(() => keptOf(options)).toThrow(
    expect.objectContaining({ code: "usage", message: expect.stringContaining(option) }),
  );
});
