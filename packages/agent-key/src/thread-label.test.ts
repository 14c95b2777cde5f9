import { describe, expect, test } from "vitest";
import { agentKeyError, refusalOf } from "../test/agent-key-error.js";
import { isThreadLabel, parseThreadLabel } from "./thread-label.js";

describe("a thread label", () => {
  test.each([
    undefined,
    null,
    7,
    "",
    " ",
    " a",
    "a ",
    "a\u00a0",
    "\u3000a",
    "a\nb",
    "a\n",
    "a\0b",
    "a\u001b[31mb",
    "a\u0085b",
    "a\u202eb",
    "a\u2066b",
    "a\u200bb",
    "a\u2028b",
    "a\u2029b",
    "a\ud800b",
    "x".repeat(65),
    "\u{1f600}".repeat(65),
  ])("is not %j", (value) => {
    expect(isThreadLabel(value)).toBe(false);
    expect(refusalOf(() => parseThreadLabel(value as string))).toEqual(
      agentKeyError("invalid_request"),
    );
  });

  test.each(["a", "Refactor billing", "нить 日本", "x".repeat(64), "\u{1f600}".repeat(64)])(
    "is %j",
    (value) => {
      expect(parseThreadLabel(value)).toBe(value);
    },
  );
});
