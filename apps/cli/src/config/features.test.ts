import { defineFeatures } from "@countersign/feature-flags";
import { expect, test } from "vitest";
import { createEnvironment } from "../home/environment.js";
import { parseConfig } from "./config.js";
import { resolveAllFeatures } from "./features.js";

const registry = defineFeatures({
  growing: { stage: "under_development", default: false, description: "A feature." },
  complete: { stage: "experimental", default: false, description: "Another one." },
});

function warningsOf(text: string, variables: NodeJS.ProcessEnv = {}) {
  const config = parseConfig(text, "config.toml");
  const environment = createEnvironment(variables);
  const options = { config, environment, enable: ["growing", "complete"], disable: [] };
  return resolveAllFeatures(registry, options).warnings;
}

test("a feature under development that is on is warned of, with what suppresses it", () => {
  expect(warningsOf("")).toMatchObject([
    {
      code: "under_development",
      key: "growing",
      hint: "set suppress_unstable_features_warning = true in config.toml",
    },
  ]);
  expect(warningsOf("suppress_unstable_features_warning = true")).toEqual([]);
});

test("variables of another program are left alone", () => {
  const variables = { MY_APP_FEATURE_GROWN: "1", COUNTERSIGN_FEATURE_GROWN: "1" };
  const unknown = warningsOf("suppress_unstable_features_warning = true", variables);
  expect(unknown).toMatchObject([
    { code: "unknown_key", message: "COUNTERSIGN_FEATURE_GROWN: unknown feature" },
  ]);
});
