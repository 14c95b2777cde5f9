import { expect, test } from "vitest";
import { fieldLines, sectionOfLines } from "./raw-fields.js";

test("a section of some lines holds them, raw and read, and one of all lines is the section itself", () => {
  const fields = ["X-One", "1", "X-Two", "2", "x-one", "3"];
  const kept = sectionOfLines(fields, ({ name }) => name === "x-one");
  expect(kept).toEqual(["X-One", "1", "x-one", "3"]);
  expect(fieldLines(kept)).toEqual([
    { name: "x-one", rawName: "X-One", value: "1" },
    { name: "x-one", rawName: "x-one", value: "3" },
  ]);
  expect(sectionOfLines(fields, () => true)).toBe(fields);
});
