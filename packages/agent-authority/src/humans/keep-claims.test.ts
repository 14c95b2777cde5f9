import { expect, test } from "vitest";
import { keepClaims } from "./keep-claims.js";

test.each([
  ["null", null],
  ["a list", ["a"]],
  ["an object", { a: "b" }],
  ["an empty text", ""],
  ["a text of 513 characters", "x".repeat(513)],
  ["a line break", "a\nb"],
  ["a NUL", "a\0b"],
  ["an escape", "\u001b[31m"],
  ["half a surrogate pair", "a\ud83d"],
  ["an integer whose digits are not exact", 2 ** 53],
  ["what JSON reads of 1e999", Number.POSITIVE_INFINITY],
])("leaves out %s, and keeps the others", (_, value) => {
  expect(keepClaims({ value, run_id: "7" }, ["value", "run_id"])).toEqual({ run_id: "7" });
});

test("keeps nothing where no claim is listed, there or usable", () => {
  expect(keepClaims({ run_id: "7" }, [])).toBeUndefined();
  expect(keepClaims({ run_id: "7" }, ["ref", "toString", "run_id.length"])).toBeUndefined();
  expect(keepClaims({ ref: [] }, ["ref"])).toBeUndefined();
});

test("keeps texts, numbers and truth values as texts, also of a member that dots lead to", () => {
  const claims = {
    text: "My workflow 日本 😀",
    long: "x".repeat(512),
    number: -1.5,
    truth: false,
    pod: { name: "p" },
    "a.b": "whole",
    a: { b: "member" },
    other: "secret",
  };
  const names = ["text", "long", "number", "truth", "pod.name", "a.b"];
  expect(keepClaims(claims, names)).toEqual({
    text: claims.text,
    long: claims.long,
    number: "-1.5",
    truth: "false",
    "pod.name": "p",
    "a.b": "whole",
  });
});
