import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { agentIdentityFeatures } from "./agent-identity-features.js";
import { defineFeatures } from "./define-features.js";
import { FeatureFlagError, type FeatureFlagErrorCode } from "./feature-flag-error.js";
import { configSource, environmentSource, switchSource } from "./feature-source.js";
import { parseFeatureKey } from "./parse-feature-key.js";
import { type ResolveFeaturesOptions, resolveFeatures } from "./resolve-features.js";

const registry = defineFeatures({
  use_agent_identity: { stage: "under_development", default: false, description: "Sign." },
  wide: { stage: "experimental", default: false, description: "Wide.", aliases: ["broad", "big"] },
  apps: { stage: "stable", default: true, description: "Apps." },
  old: { stage: "deprecated", default: false, description: "Old." },
  undo: { stage: "removed", default: false, description: "Gone." },
  constructor: { stage: "stable", default: false, description: "A name of Object's prototype." },
});

const file = (table: unknown) => configSource({ file: "config.toml", table });
const env = (variables: Record<string, string | undefined>) =>
  environmentSource({ env: variables, prefix: "COUNTERSIGN_FEATURE_" });

function failure(run: () => unknown): FeatureFlagError {
  try {
    run();
  } catch (error) {
    if (FeatureFlagError.is(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function expectFailure(run: () => unknown, code: FeatureFlagErrorCode, text: string | RegExp) {
  const error = failure(run);
  expect(error.code).toBe(code);
  expect(`${error.message}\n${error.hint}`).toMatch(text);
}

function state(key: string, ...args: Parameters<typeof resolveFeatures>) {
  return resolveFeatures(...args)
    .list()
    .find((entry) => entry.key === key);
}

describe("bad settings", () => {
  test.each([
    ["use_agent_identty", "did you mean use_agent_identity?"],
    ["use-agent-identity", "did you mean use_agent_identity?"],
    ["boad", "did you mean wide?"],
    ["nope", "known features: apps, constructor, old, undo, use_agent_identity, wide"],
    ["__proto__", "known features"],
    ["toString", "known features"],
    ["", "known features"],
  ])("rejects the unknown switch %j with the nearest name", (name, hint) => {
    for (const switches of [{ enable: [name] }, { disable: [name] }]) {
      const error = failure(() => resolveFeatures(registry, [switchSource(switches)]));
      expect(error.code).toBe("unknown_feature");
      expect(error.message).toContain("enable" in switches ? "--enable" : "--disable");
      expect(error.hint).toContain(hint);
    }
  });

  test("prints an unknown switch without its control and bidirectional characters, and cut", () => {
    const name = `\u001b[31m\u202e${"x".repeat(500)}`;
    const { message } = failure(() =>
      resolveFeatures(registry, [switchSource({ enable: [name] })]),
    );
    expect(message).toContain("\\u001b[31m\\u202exxx");
    expect(message.length).toBeLessThan(150);
  });

  test.each([
    ["a string", "true"],
    ["a number", 1],
    ["null", null],
    ["an array", [true]],
    ["a table", { on: true }],
    ["a date", new Date(0)],
  ])("rejects %s in a file, naming file and key", (type, value) => {
    const run = () => resolveFeatures(registry, [file({ use_agent_identity: value })]);
    expectFailure(
      run,
      "config_invalid",
      `config.toml: features.use_agent_identity must be true or false, not ${type}`,
    );
  });

  test.each([null, true, "on", 1, [], new Date(0)])("rejects %j for a table", (table) => {
    expectFailure(() => file(table), "config_invalid", /^config\.toml: features must be a table/);
  });

  test.each(["maybe", "2", " ", "enabled", "truefalse"])(
    "rejects %j in the environment, naming the variable and not the value",
    (text) => {
      const error = failure(() =>
        resolveFeatures(registry, [env({ COUNTERSIGN_FEATURE_APPS: text })]),
      );
      expect(error.code).toBe("config_invalid");
      expect(error.message).toBe(
        "COUNTERSIGN_FEATURE_APPS must be true or false (or 1, 0, on, off, yes, no)",
      );
    },
  );

  test.each<[option: string, make: () => unknown]>([
    ["prefix", () => environmentSource({ env: {}, prefix: "" })],
    ["prefix", () => environmentSource({ env: {} } as never)],
    ["env", () => environmentSource({ prefix: "MY_" } as never)],
    ["options", () => environmentSource("MY_" as never)],
    ["file", () => configSource({ table: {} } as never)],
    ["options", () => configSource(undefined as never)],
    ["enable", () => switchSource({ enable: "apps" } as never)],
    ["disable", () => switchSource({ disable: "apps" } as never)],
    ["registry", () => resolveFeatures(undefined as never)],
    ["registry", () => resolveFeatures([env({})] as never, registry as never)],
    ["sources", () => resolveFeatures(registry, env({}) as never)],
    ["sources", () => resolveFeatures(registry, [undefined] as never)],
    ["options", () => resolveFeatures(registry, [], true as never)],
  ])("rejects a wrong %s (%#)", (option, make) => {
    expectFailure(make, "config_invalid", new RegExp(`^${option} must`));
  });

  test.each(["enviroment", "default", "__proto__", undefined])(
    "rejects a source of the unknown kind %j, which would decide nothing",
    (kind) => {
      const source = { kind, settings: [{ name: "apps", from: "here", value: false }] };
      const run = () => resolveFeatures(registry, [source as never]);
      expectFailure(run, "config_invalid", /^sources: .* is not a kind of source$/m);
    },
  );

  test("rejects an unknown key in code without types", () => {
    const features = resolveFeatures(registry);
    for (const key of ["use_agent_identty", "broad", "__proto__", "toString"]) {
      expectFailure(() => features.isEnabled(key as "apps"), "unknown_feature", key);
    }
  });
});

describe("types", () => {
  test("refuse a misspelt key", () => {
    const features = resolveFeatures(agentIdentityFeatures);
    expectTypeOf(features.isEnabled).parameter(0).toEqualTypeOf<"use_agent_identity">();
    // @ts-expect-error the key is misspelt
    expect(() => features.isEnabled("use_agent_identty")).toThrow(FeatureFlagError);
  });

  test("give what asks for one feature only", () => {
    expectTypeOf(resolveFeatures(registry)).toExtend<{
      isEnabled(key: "use_agent_identity"): boolean;
    }>();
  });
});

describe("sources", () => {
  const on = { use_agent_identity: true };
  const off = { use_agent_identity: false };
  const variable = "COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY";
  const key = "use_agent_identity";

  test("leave the default where none decides", () => {
    expect(resolveFeatures(registry).isEnabled(key)).toBe(false);
    expect(resolveFeatures(registry).isEnabled("apps")).toBe(true);
    expect(state(key, registry)).toMatchObject({ source: "default", enabled: false });
    expect(state(key, registry)).not.toHaveProperty("from");
  });

  test("win in the order default, config, environment, switches, however they are listed", () => {
    const all = [switchSource({ enable: [key] }), env({ [variable]: "off" }), file(on)];
    expect(state(key, registry, all)).toMatchObject({
      enabled: true,
      source: "switch",
      from: "--enable use_agent_identity",
    });
    expect(state(key, registry, all.slice(1))).toMatchObject({
      enabled: false,
      source: "environment",
      from: variable,
    });
    expect(state(key, registry, all.slice(2))).toMatchObject({
      enabled: true,
      source: "config",
      from: "config.toml: features.use_agent_identity",
    });
  });

  test("of one kind: the later wins", () => {
    const profile = configSource({
      file: "config.toml",
      table: off,
      tableName: "profiles.p.features",
    });
    expect(state(key, registry, [file(on), profile])).toMatchObject({
      enabled: false,
      from: "config.toml: profiles.p.features.use_agent_identity",
    });
  });

  test("both switches together are off, by whichever names", () => {
    for (const [on, off] of [
      ["wide", "wide"],
      ["wide", "broad"],
      ["broad", "wide"],
    ] as const) {
      const source = switchSource({ enable: [key, on], disable: [off, key] });
      const features = resolveFeatures(registry, [source]);
      expect(features.isEnabled(key)).toBe(false);
      expect(features.isEnabled("wide")).toBe(false);
    }
  });

  test.each([
    ["1", true],
    ["true", true],
    ["TRUE", true],
    ["on", true],
    ["Yes", true],
    [" true ", true],
    ["0", false],
    ["false", false],
    ["off", false],
    ["NO", false],
  ])("read %j in the environment", (text, expected) => {
    expect(state("apps", registry, [env({ COUNTERSIGN_FEATURE_APPS: text })])).toMatchObject({
      enabled: expected,
      source: "environment",
    });
  });

  test("take an empty variable for one that is not set, and leave others alone", () => {
    const source = env({ [variable]: "", OTHER: "on", COUNTERSIGN_FEATURE_OLD: undefined });
    expect(source.settings).toEqual([]);
  });

  test("take another prefix", () => {
    const source = environmentSource({ env: { MY_APPS: "off", [variable]: "on" }, prefix: "MY_" });
    const features = resolveFeatures(registry, [source]);
    expect(features.isEnabled("apps")).toBe(false);
    expect(features.isEnabled(key)).toBe(false);
  });

  test("take no table and undefined members for nothing", () => {
    expect(file(undefined).settings).toEqual([]);
    expect(file({ apps: undefined }).settings).toEqual([]);
    expect(file(Object.assign(Object.create(null), on)).settings).toHaveLength(1);
  });

  test("take own members alone", () => {
    expect(resolveFeatures(registry, [file(Object.create(on))]).isEnabled(key)).toBe(false);
    const features = resolveFeatures(registry, [file({ constructor: true })]);
    expect(features.isEnabled("constructor")).toBe(true);
    expect(resolveFeatures(registry, [file({})]).isEnabled("constructor")).toBe(false);
  });

  test("with __proto__ as a key pollute nothing", () => {
    const table: unknown = JSON.parse('{"__proto__": {"use_agent_identity": true}, "apps": false}');
    const features = resolveFeatures(registry, [file(table)]);
    expect(features.isEnabled(key)).toBe(false);
    expect(features.isEnabled("apps")).toBe(false);
    expect(features.warnings.map(({ code, key }) => [code, key])).toEqual([
      ["unknown_key", "__proto__"],
    ]);
    expect({}).not.toHaveProperty("use_agent_identity");
  });
});

describe("list", () => {
  test("has every feature sorted by key, with stage, state, source and description", () => {
    const list = resolveFeatures(registry, [switchSource({ enable: ["wide"] })]).list();
    expect(list.map(({ key, stage, enabled, source }) => [key, stage, enabled, source])).toEqual([
      ["apps", "stable", true, "default"],
      ["constructor", "stable", false, "default"],
      ["old", "deprecated", false, "default"],
      ["undo", "removed", false, "default"],
      ["use_agent_identity", "under_development", false, "default"],
      ["wide", "experimental", true, "switch"],
    ]);
    expect(list[0]?.description).toBe("Apps.");
  });

  test("cannot be changed, nor can the rest of the set", () => {
    const features = resolveFeatures(registry, [file({ use_agent_identity: true })]);
    expect(Object.isFrozen(features)).toBe(true);
    expect(Object.isFrozen(features.list())).toBe(true);
    expect(features.list().every(Object.isFrozen)).toBe(true);
    expect(Object.isFrozen(features.warnings)).toBe(true);
    expect(features.warnings.every(Object.isFrozen)).toBe(true);
  });
});

describe("find", () => {
  test("gives the state of the feature that a key or an earlier name stands for", () => {
    const features = resolveFeatures(registry, [switchSource({ enable: ["wide"] })]);
    const wide = features.list().find(({ key }) => key === "wide");
    for (const name of ["wide", "broad", "big"]) expect(features.find(name)).toBe(wide);
    for (const name of ["nope", "__proto__", "toString"]) {
      expect(features.find(name)).toBeUndefined();
    }
  });
});

describe("warnings", () => {
  function warnings(table: unknown, options?: ResolveFeaturesOptions) {
    return resolveFeatures(registry, [file(table)], options).warnings;
  }

  test("are empty when nothing needs attention", () => {
    expect(warnings({ apps: false, wide: true, use_agent_identity: false })).toEqual([]);
  });

  test("name a feature under development while it is on, unless suppressed", () => {
    expect(warnings({ use_agent_identity: true }, { suppressHint: "set x" })).toEqual([
      {
        code: "under_development",
        key: "use_agent_identity",
        message:
          '"use_agent_identity" is on and under development: it is incomplete and may change or fail',
        hint: "set x",
      },
    ]);
    expect(warnings({ use_agent_identity: true })[0]).not.toHaveProperty("hint");
    expect(warnings({ use_agent_identity: true }, { suppressUnstable: true })).toEqual([]);
  });

  test("are not given for a feature that a stronger source turns off", () => {
    const sources = [
      file({ use_agent_identity: true }),
      switchSource({ disable: ["use_agent_identity"] }),
    ];
    expect(resolveFeatures(registry, sources).warnings).toEqual([]);
  });

  test("name an unknown key of a file with the nearest name, whatever its value", () => {
    for (const value of [true, "later", { a: 1 }]) {
      expect(warnings({ use_agent_identty: value })).toEqual([
        {
          code: "unknown_key",
          key: "use_agent_identty",
          message: "config.toml: features.use_agent_identty: unknown feature",
          hint: "did you mean use_agent_identity?",
        },
      ]);
    }
  });

  test.each(["COUNTERSIGN_FEATURE_USE_AGENT_IDENTTY", "COUNTERSIGN_FEATURE_use_agent_identity"])(
    "name the unknown variable %s",
    (variable) => {
      const features = resolveFeatures(registry, [env({ [variable]: "on" })]);
      expect(features.isEnabled("use_agent_identity")).toBe(false);
      expect(features.warnings).toMatchObject([
        { code: "unknown_key", hint: "did you mean use_agent_identity?" },
      ]);
      expect(features.warnings[0]?.message).toBe(`${variable}: unknown feature`);
    },
  );

  test("name an alias, which works", () => {
    const features = resolveFeatures(registry, [switchSource({ enable: ["broad"] })]);
    expect(features.isEnabled("wide")).toBe(true);
    expect(features.warnings).toEqual([
      {
        code: "alias",
        key: "broad",
        message: '--enable broad: "broad" is an earlier name of "wide"',
        hint: "write wide",
      },
    ]);
  });

  test("name an alias that its key overrules, in whatever order they stand", () => {
    for (const table of [
      { wide: false, broad: true },
      { broad: true, wide: false },
    ]) {
      const features = resolveFeatures(registry, [file(table)]);
      expect(features.isEnabled("wide")).toBe(false);
      expect(features.warnings.map(({ code }) => code)).toEqual(["alias"]);
    }
  });

  test("name a deprecated feature that is set, on or off", () => {
    for (const value of [true, false]) {
      expect(warnings({ old: value })).toMatchObject([{ code: "deprecated", key: "old" }]);
    }
  });

  test("name a removed feature, which stays as it is", () => {
    const features = resolveFeatures(registry, [
      file({ undo: true }),
      switchSource({ enable: ["undo"] }),
    ]);
    expect(features.isEnabled("undo")).toBe(false);
    expect(features.warnings.map(({ code }) => code)).toEqual(["removed", "removed"]);
    expect(state("undo", registry, [file({ undo: true })])).toMatchObject({ source: "default" });
  });

  test("are safe to print", () => {
    const [warning] = warnings({ "\u001b]0;x\u0007\u202e": true });
    expect(warning?.message).toBe(
      "config.toml: features.\\u001b]0;x\\u0007\\u202e: unknown feature",
    );
  });
});

describe("parseFeatureKey", () => {
  test("gives the key of a key or alias", () => {
    expect(parseFeatureKey(registry, "wide")).toBe("wide");
    expect(parseFeatureKey(registry, "big")).toBe("wide");
  });

  test("rejects anything else", () => {
    expectFailure(() => parseFeatureKey(registry, "wdie"), "unknown_feature", "did you mean wide");
    const none = defineFeatures({});
    expectFailure(() => parseFeatureKey(none, "wide"), "unknown_feature", "known features: none");
  });
});

describe("whatever a table holds", () => {
  test("it resolves or is config_invalid, and no other feature moves", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (table) => {
        try {
          const features = resolveFeatures(registry, [file(table)]);
          for (const { key, enabled, source } of features.list()) {
            if (source === "config") expect(Object.values(table)).toContain(enabled);
            else expect(enabled).toBe(key === "apps");
          }
        } catch (error) {
          if (!FeatureFlagError.is(error)) throw error;
          expect(error.code).toBe("config_invalid");
        }
      }),
    );
  });
});
