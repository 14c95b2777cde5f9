import fc from "fast-check";
import { expect, test } from "vitest";
import { formatJson, joinJsonMembers, splitJsonMembers } from "./json-text.js";

test("a text laid out is what JSON.stringify makes of the value with two spaces", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(formatJson(text)).toBe(JSON.stringify(JSON.parse(text), undefined, 2));
    }),
  );
});

test("an object taken apart and put together is the same", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const text = JSON.stringify(value, undefined, 3);
      const members = splitJsonMembers(text);
      expect(members.map(({ name }) => name)).toEqual(Object.keys(JSON.parse(text)));
      expect(joinJsonMembers(members)).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("what a parse would change stays as it is written: numbers, order, doubled names, escapes", () => {
  const text =
    '{"b":12345678901234567890,"2":1.0,"1":1e2,"a":"\\u0041\\/ : , { } [ ]","b":[{},[],-0,{"x":null}],"":{"":{}}}';
  expect(joinJsonMembers(splitJsonMembers(text))).toBe(text);
  expect(formatJson(text).replaceAll(/\n\s*/g, "").replaceAll('": ', '":')).toBe(text);
});
