import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fieldValue, parseMembers } from "./structured-fields.js";

describe("fieldValue", () => {
  test("is undefined without the field, also where its name is another's value", () => {
    expect(fieldValue([], "signature")).toBeUndefined();
    expect(fieldValue(["x", "signature", "y", "z"], "signature")).toBeUndefined();
    expect(fieldValue(["signature_", "a", "x-signature", "b"], "signature")).toBeUndefined();
  });

  test("joins the lines of a field in order, trimmed, whatever the case of its name", () => {
    const rawHeaders = ["Signature", " \ta=1 ", "host", "x", "SIGNATURE", "", "signature", "b"];
    expect(fieldValue(rawHeaders, "signature")).toBe("a=1, , b");
  });

  test("takes any number of blanks inside a value in its stride (G-G12)", () => {
    // Looked at again for each of them, they would take minutes.
    const value = `a${" ".repeat(500_000)}b`;
    expect(fieldValue(["x", ` ${value}\t`], "x")).toBe(value);
  });
});

describe("parseMembers", () => {
  test.each([
    ["nothing", ""],
    ["an empty member", "a=1,,b=2"],
    ["a comma at the end", "a=1,"],
    ["a comma at the start", ",a=1"],
    ["a name in upper case", "A=1"],
    ["an open String", 'a="1'],
    ["an open String that ends in a backslash", 'a="1\\'],
    ["an open list", 'a=("x"'],
    ["characters after a member", "a=1 b=2"],
    ["a line break", "a=1\n"],
    ["a name twice", "a=1, a=1"],
    ["a name twice with another between", "a=1, b=2, a=2"],
    ["a name twice, once without a value", "a, a=1"],
    ["a Display String, which would hide a repetition", 'a=1;x=%"\\", a=2;y="z"'],
  ])("refuses %s (G-B6)", (_, text) => {
    expect(() => parseMembers(text)).toThrow(Error);
  });

  test("keeps what each member was written as", () => {
    const members = parseMembers('a=("x" "y");p="q, \\"r" ,\t b=:AAE=:, c');
    expect([...members].map(([name, { text }]) => [name, text])).toEqual([
      ["a", '("x" "y");p="q, \\"r"'],
      ["b", ":AAE=:"],
      ["c", ""],
    ]);
    expect(members.get("a")).toMatchObject({
      list: [{ value: "x" }, { value: "y" }],
      parameters: new Map([["p", 'q, "r']]),
      isCanonical: true,
    });
    expect(members.get("b")).toMatchObject({ list: undefined, isCanonical: true });
  });

  test.each(['("x"  "y")', '( "x")', '("x");a=1;a=1', '("x");a=01', ":AAF=:", "1.50"])(
    "sees that %s is not the canonical form",
    (text) => {
      expect(parseMembers(`a=${text}`).get("a")?.isCanonical).toBe(false);
    },
  );

  test("returns or throws an Error on any text", () => {
    const text = fc.string({
      unit: fc.constantFrom(...'abAB01=,;:()"\\%@?*- \t\n.é'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(text, (input) => {
        try {
          for (const [name, member] of parseMembers(input)) {
            expect(input).toContain(name);
            expect(input).toContain(member.text);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(String(error)).not.toMatch(/AssertionError/);
        }
      }),
      { numRuns: propertyRuns(2000) },
    );
  });
});
