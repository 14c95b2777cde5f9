import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { frameworks, rowsOfExports } from "./frameworks.js";

test("every export of the package has its rows in the table of middlewares, or is known to be no middleware", () => {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  expect(Object.keys(rowsOfExports)).toEqual(Object.keys(JSON.parse(manifest).exports));
  expect(new Set(frameworks.map(({ name }) => name)).size).toBe(frameworks.length);
});
