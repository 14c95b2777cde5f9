import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { type InnerList, type Item, isInnerList, parseDictionary } from "structured-headers";
import { describe, expect, test } from "vitest";
import { type FieldMember, fieldValue, parseMembers } from "./structured-fields.js";

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
    ["an Integer of 16 digits", "a=1234567890123456"],
    ["a Decimal of four places", "a=1.0005"],
    ["a String with a line break", 'a="\n"'],
    ["a String with another escape than of a quote or a backslash", 'a="\\n"'],
    ["bytes that are no base64", "a=:A:"],
    ["bytes with one sign of padding for two", "a=:AA=:"],
    ["bytes with padding in the middle", "a=:AA==AA==:"],
    ["items without a space between", 'a=("x""y")'],
    ["a tab in a list", 'a=("x"\t"y")'],
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
    });
    expect(members.get("b")).toMatchObject({ list: undefined });
  });

  test("takes linear time for a list or parameters that end wrongly (G-G12)", () => {
    for (const text of ['("x"', '("x");a', "1;a", ":AAAA"]) {
      for (const filling of [" ", ";a", "a", ' "x"', '"', "A"]) {
        expect(() => parseMembers(`a=${text}${filling.repeat(100_000)}!`)).toThrow(Error);
      }
    }
  });

  test("reads the same as a library that reads all structured fields, and refuses what that refuses", () => {
    fc.assert(
      fc.property(dictionaries(), (text) => {
        const own = resultOf(() => [...parseMembers(text)].map(ownMember));
        const others = resultOf(() => [...parseDictionary(text)].map(libraryMember));
        if (own === undefined) {
          // A name twice, an empty text, or a member that is empty, which the library passes over.
          const pieces = splitOutsideStrings(text).map((it) => resultOf(() => parseDictionary(it)));
          const names = pieces.flatMap((it) => [...(it?.keys() ?? [])]);
          const isRefused = others === undefined || names.length === 0;
          expect(isRefused || new Set(names).size < names.length).toBe(true);
        } else {
          expect(own).toEqual(others);
        }
      }),
      { numRuns: propertyRuns(5000) },
    );
  });

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

// Texts that are a Dictionary, or nearly.
function dictionaries() {
  const oneOf = (...texts: string[]) => fc.constantFrom(...texts);
  const joined = (part: fc.Arbitrary<string>, max: number, between = oneOf("")) =>
    fc
      .array(fc.tuple(part, between), { maxLength: max })
      .map((parts) => parts.flat().slice(0, -1).join(""));
  const key = oneOf("a", "b", "*c", "sig1", "x_y.z*", "tag", "created", "A", "1a", "d-e");
  const inString = oneOf(
    "a",
    " ",
    ",",
    ";",
    "=",
    "(",
    ")",
    ":",
    '\\"',
    "\\\\",
    "@",
    "~",
    "é",
    "\\n",
  );
  const string = joined(inString, 5).map((text) => `"${text}"`);
  const digits = joined(oneOf("0", "1", "9", "55555"), 4);
  const number = fc
    .tuple(oneOf("", "", "-"), digits, oneOf("", "", ".0", ".125", ".5555", "."))
    .map((parts) => parts.join(""));
  const token = joined(oneOf("a", "Z", "*", "0", ":", "/", "%", "~", "{", "-"), 5);
  const bytes = joined(oneOf("AAAA", "b0+/", "AA", "AAA", "==", "=", "A", "-"), 3).map(
    (text) => `:${text}:`,
  );
  const bare = fc.oneof(string, string, number, token, bytes, oneOf("?0", "?1", "?2"));
  const parameter = fc
    .tuple(oneOf(";", "; ", ";  ", ";\t"), key, fc.option(bare))
    .map(([start, name, value]) => `${start}${name}${value === null ? "" : `=${value}`}`);
  const item = fc.tuple(bare, joined(parameter, 3)).map((parts) => parts.join(""));
  const list = fc
    .tuple(
      oneOf("(", "( "),
      joined(item, 3, oneOf(" ", " ", "  ", "")),
      oneOf(")", ")", " )", ""),
      joined(parameter, 3),
    )
    .map((parts) => parts.join(""));
  const member = fc
    .tuple(key, fc.option(fc.oneof(item, list, list)))
    .map(([name, value]) => (value === null ? name : `${name}=${value}`));
  return joined(member, 3, oneOf(", ", ",", "\t,  ", ",,"));
}

function resultOf<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

// No signature uses a Token, a Boolean or a Date.
function shown(value: unknown): unknown {
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return typeof value === "string" || typeof value === "number" ? value : null;
}

function shownParameters(parameters: ReadonlyMap<string, unknown>): unknown {
  return [...parameters].map(([name, value]) => [name, shown(value)]);
}

function ownMember([name, { value, list, parameters }]: [string, FieldMember]): unknown {
  const items = list?.map((item) => [shown(item.value), shownParameters(item.parameters)]);
  return [name, items ?? shown(value), shownParameters(parameters)];
}

function libraryMember([name, member]: [string, Item | InnerList]): unknown {
  const value = isInnerList(member)
    ? member[0].map(([item, parameters]) => [shown(item), shownParameters(parameters)])
    : shown(member[0]);
  return [name, value, shownParameters(member[1])];
}

function splitOutsideStrings(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g)?.map((piece) => piece.trim()) ?? [];
}
