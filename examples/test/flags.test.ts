import { expect, test } from "vitest";
import { newParserIsOn } from "../flags/openfeature.js";
import { listFeatures } from "../flags/resolve.js";

test("the program answers what the README of @countersign/feature-flags says", () => {
  const lines = listFeatures({ colour_output: false }, { MY_APP_FEATURE_NEW_PARSER: "on" });
  expect(lines).toEqual([
    "colour_output stable false config",
    "new_parser under_development true environment",
    'warning: "new_parser" is on and under development: it is incomplete and may change or fail',
  ]);
});

test("the OpenFeature program answers from the set", async () => {
  expect(await newParserIsOn()).toBe(true);
});
