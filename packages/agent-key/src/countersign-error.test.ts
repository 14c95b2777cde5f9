import { describe, expect, test } from "vitest";
import { CODES, isCode } from "./codes.js";
import { CountersignError } from "./countersign-error.js";
import * as exported from "./index.js";
import { AgentKeyError } from "./index.js";

describe("CountersignError", () => {
  test("carries code, hint, retryable and cause", () => {
    const cause = new Error("why");
    const error = new AgentKeyError("invalid_key", "what", { hint: "do", retryable: true, cause });
    expect(error).toMatchObject({
      name: "AgentKeyError",
      code: "invalid_key",
      message: "what",
      hint: "do",
      retryable: true,
      cause,
    });
    const plain = new AgentKeyError("invalid_key", "what");
    expect(plain).toMatchObject({ hint: undefined, retryable: false });
    expect(plain).not.toHaveProperty("cause");
  });

  test("is recognised by its own guard and those of its bases, not by those of others", () => {
    class OtherError extends CountersignError {
      static override readonly brandName: string = "OtherError";
    }
    const error = new AgentKeyError("invalid_key", "x");
    expect(AgentKeyError.is(error)).toBe(true);
    expect(CountersignError.is(error)).toBe(true);
    expect(OtherError.is(error)).toBe(false);
    expect(AgentKeyError.is(new OtherError("internal", "x"))).toBe(false);
  });

  test("is recognised when another installed copy made it", () => {
    const brand = Symbol.for("countersign.error");
    const foreign = Object.assign(new Error("x"), {
      [brand]: ["AgentKeyError", "CountersignError"],
    });
    expect(AgentKeyError.is(foreign)).toBe(true);
    expect(foreign).not.toBeInstanceOf(AgentKeyError);
  });

  test.each([
    undefined,
    null,
    "invalid_key",
    7,
    new Error("x"),
    { code: "invalid_key" },
    { [Symbol.for("countersign.error")]: "AgentKeyError" },
  ])("does not recognise %o", (value) => {
    expect(CountersignError.is(value)).toBe(false);
  });

  test("has a guard and a brand of its own in every class that is exported", () => {
    const classes = Object.values(exported).filter(
      (value): value is typeof CountersignError =>
        typeof value === "function" && value.prototype instanceof Error,
    );
    expect(classes).toContain(AgentKeyError);
    for (const errorClass of classes) {
      const error = new errorClass("internal", "x");
      expect(errorClass.brandName).toBe(errorClass.name);
      expect(errorClass.is(error)).toBe(true);
      expect(isCode(error.code)).toBe(true);
    }
  });
});

describe("codes", () => {
  test("are lower snake case, each once", () => {
    expect(new Set(CODES).size).toBe(CODES.length);
    for (const code of CODES) expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  test("are known by isCode, and nothing else is", () => {
    expect(CODES.every(isCode)).toBe(true);
    for (const value of [
      "",
      "MISSING",
      "nope",
      "constructor",
      "__proto__",
      7,
      null,
      undefined,
      ["missing"],
    ]) {
      expect(isCode(value)).toBe(false);
    }
  });
});
