import { defineFeatures, FeatureFlagError } from "@countersign/feature-flags";
import { describe, expect, test } from "vitest";
import { createEnvironment } from "../home/environment.js";
import { changeFeature } from "./feature-change.js";

const registry = defineFeatures({
  growing: { stage: "under_development", default: false, description: "A feature." },
  leaving: {
    stage: "deprecated",
    default: true,
    description: "Another one.",
    aliases: ["leaving_once"],
  },
  gone: { stage: "removed", default: false, description: "Nothing." },
});

const change = (name: string, value: boolean, text = "", variables: NodeJS.ProcessEnv = {}) =>
  changeFeature(registry, {
    name,
    value,
    text,
    file: "config.toml",
    environment: createEnvironment(variables),
  });

const codesOf = (changed: ReturnType<typeof change>) => changed.warnings.map(({ code }) => code);

describe("a feature in the configuration", () => {
  test.each([
    { name: "growin", hint: "did you mean growing?" },
    { name: "leavin_once", hint: "did you mean leaving?" },
    { name: "toString", hint: "known features: gone, growing, leaving" },
  ])("rejects the unknown name $name and suggests known ones", ({ name, hint }) => {
    try {
      change(name, true);
      expect.unreachable();
    } catch (error) {
      expect(FeatureFlagError.is(error) && error).toMatchObject({ code: "unknown_feature", hint });
    }
  });

  test("that was removed is not written, and that is said", () => {
    const removed = change("gone", true);
    expect(removed).toMatchObject({ text: undefined, state: { key: "gone", enabled: false } });
    expect(codesOf(removed)).toEqual(["removed"]);
  });

  test("that is deprecated is written, and that is said", () => {
    const deprecated = change("leaving", false);
    expect(deprecated).toMatchObject({ text: "[features]\nleaving = false\n" });
    expect(deprecated.state.enabled).toBe(false);
    expect(codesOf(deprecated)).toEqual(["deprecated"]);
  });

  test("that is named by an earlier name is written by its own", () => {
    const renamed = change("leaving_once", false, "[features]\nleaving_once = true\n");
    expect(renamed.text).toBe("[features]\nleaving = false\nleaving_once = true\n");
    expect(renamed.state.enabled).toBe(false);
    expect(codesOf(renamed)).toEqual(["alias", "alias", "deprecated", "deprecated"]);
  });

  test("is told as it will be, also where the environment says otherwise", () => {
    const overruled = change("growing", true, "", { COUNTERSIGN_FEATURE_GROWING: "0" });
    expect(overruled.text).toContain("growing = true");
    expect(overruled.state).toMatchObject({ enabled: false, source: "environment" });
    expect(codesOf(change("growing", true))).toEqual(["under_development"]);
  });
});
