import { describe, expect, test } from "vitest";
import { defineFeatures, type FeatureDefinition } from "./define-features.js";
import { FeatureFlagError } from "./feature-flag-error.js";

const feature: FeatureDefinition = { stage: "stable", default: false, description: "A feature." };
const refusal = expect.objectContaining({ code: "config_invalid" });

function define(definitions: Record<string, unknown>) {
  return () => defineFeatures(definitions as Record<string, FeatureDefinition>);
}

describe("defineFeatures", () => {
  test.each([
    ["an empty key", { "": feature }],
    ["upper case", { A: feature }],
    ["a hyphen", { "a-b": feature }],
    ["a digit first", { "1a": feature }],
    ["a key of 65 characters", { ["a".repeat(65)]: feature }],
    ["__proto__ as an own key", JSON.parse('{"__proto__": {}}')],
    ["no definition", { a: undefined }],
    ["an unknown stage", { a: { ...feature, stage: "beta" } }],
    ["a default that is no boolean", { a: { ...feature, default: "false" } }],
    ["a list of aliases that is a text", { a: { ...feature, aliases: "abc" } }],
    ["no description", { a: { stage: "stable", default: true } }],
    ["an alias that is no key", { a: { ...feature, aliases: ["B c"] } }],
    ["an alias that is another key", { a: { ...feature, aliases: ["b"] }, b: feature }],
    ["an alias that is its own key", { a: { ...feature, aliases: ["a"] } }],
    [
      "one alias for two keys",
      { a: { ...feature, aliases: ["c"] }, b: { ...feature, aliases: ["c"] } },
    ],
  ])("rejects %s", (_name, definitions) => {
    expect(define(definitions)).toThrow(FeatureFlagError);
    expect(define(definitions)).toThrow(refusal);
  });

  test.each([undefined, null, "a", [feature]])("rejects %j for definitions", (definitions) => {
    expect(define(definitions as never)).toThrow(refusal);
    expect(define(definitions as never)).toThrow("definitions must be an object");
  });

  test("sorts features by key", () => {
    const { features } = defineFeatures({ b: feature, constructor: feature, a: feature });
    expect([...features.keys()]).toEqual(["a", "b", "constructor"]);
  });

  test("keeps what was declared, whatever the caller does to it later", () => {
    const definition = { ...feature };
    const { features } = defineFeatures({ a: definition });
    definition.default = true;
    expect(features.get("a")).toEqual(feature);
  });
});
