import { expect, test } from "vitest";
import { OpenSet } from "./open-set.js";

const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];

test.each([
  [a, [b, c]],
  [b, [a, c]],
  [c, [a, b]],
])("deletes %o alone", (member, others) => {
  const open = new OpenSet<object>();
  for (const it of [a, b, c]) open.add(it);
  open.delete(member);
  open.delete(member);
  expect(open.size).toBe(2);
  // In the order in which they came.
  expect([...open]).toEqual(others);
});

test("passes over none of those that were there when they leave while they are looked at", () => {
  const open = new OpenSet<object>();
  for (const it of [a, b, c]) open.add(it);
  const seen: object[] = [];
  for (const it of open) {
    seen.push(it);
    open.delete(it);
  }
  expect(seen).toEqual([a, b, c]);
  expect(open.size).toBe(0);
});
