import { describe, expect, test } from "vitest";
import { FeatureFlagError } from "./feature-flag-error.js";

describe("FeatureFlagError", () => {
  test("carries code, hint and cause", () => {
    const cause = new Error("why");
    const error = new FeatureFlagError("config_invalid", "what", { hint: "do", cause });
    expect(error).toMatchObject({
      name: "FeatureFlagError",
      code: "config_invalid",
      message: "what",
      hint: "do",
      retryable: false,
      cause,
    });
    expect(new FeatureFlagError("unknown_feature", "what")).not.toHaveProperty("cause");
  });

  test("is recognised across two copies of the package, by the brand alone", () => {
    const brand = Symbol.for("countersign.error");
    expect(FeatureFlagError.is(new FeatureFlagError("unknown_feature", "x"))).toBe(true);
    expect(FeatureFlagError.is({ [brand]: ["FeatureFlagError", "CountersignError"] })).toBe(true);
  });

  test("carries the brand that every Countersign error carries", () => {
    const error: object = new FeatureFlagError("unknown_feature", "x");
    expect(Reflect.get(error, Symbol.for("countersign.error"))).toContain("CountersignError");
  });

  test.each([
    undefined,
    null,
    "unknown_feature",
    new Error("unknown_feature"),
    { code: "unknown_feature" },
    { [Symbol.for("countersign.error")]: ["AgentKeyError", "CountersignError"] },
    { [Symbol.for("countersign.error")]: "FeatureFlagError" },
  ])("does not recognise %o", (value) => {
    expect(FeatureFlagError.is(value)).toBe(false);
  });
});
