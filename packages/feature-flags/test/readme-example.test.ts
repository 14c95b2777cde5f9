import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { listFeatures } from "./examples/resolve.js";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test("the README holds the examples as they are compiled", async () => {
  for (const name of ["resolve", "openfeature"]) {
    const source = await readFile(new URL(`./examples/${name}.ts`, import.meta.url), "utf8");
    expect(readme).toContain(source.trim());
  }
});

test("the README's program answers what the README says", () => {
  const lines = listFeatures({ colour_output: false }, { MY_APP_FEATURE_NEW_PARSER: "on" });
  expect(lines).toEqual([
    "colour_output stable false config",
    "new_parser under_development true environment",
    'warning: "new_parser" is on and under development: it is incomplete and may change or fail',
  ]);
});

test("the README's OpenFeature program answers from the set", async () => {
  const { newParserIsOn } = await import("./examples/openfeature.js");
  expect(await newParserIsOn()).toBe(true);
});
