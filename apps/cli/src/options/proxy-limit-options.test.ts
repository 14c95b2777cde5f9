import { expect, test } from "vitest";
import { timeoutsOf } from "./proxy-limit-options.js";

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
