import { AgentKeyError } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { nameOf, runCheck } from "./vector-check.js";

function throwing(error: unknown) {
  return runCheck({
    name: "x",
    expected: "x",
    run() {
      throw error;
    },
  });
}

test("a refusal is its code", async () => {
  expect(await throwing(new AgentKeyError("invalid_key", "x"))).toBe("invalid_key");
});

test("a defect of the implementation fails its vector and nothing else, without its message", async () => {
  expect(await throwing(new TypeError("secret"))).toBe("unexpected TypeError");
  expect(await throwing("secret")).toBe("unexpected string");
});

test("a vector is named by its list and name, else by place and content", () => {
  expect(nameOf("valid", 0, { name: "a" }, "b")).toBe("valid: a");
  expect(nameOf("valid", 0, {}, { a: 1 })).toBe('valid 1 {"a":1}');
  expect(nameOf("valid", 1, {})).toBe("valid 2");
  expect(nameOf("valid", 1, {}, "b".repeat(500))).toHaveLength("valid 2".length + 80);
});
