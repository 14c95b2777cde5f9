import {
  type FeatureRegistry,
  type FeatureState,
  type FeatureWarning,
  parseFeatureKey,
} from "@countersign/feature-flags";
import type { Environment } from "../home/environment.js";
import { parseConfig } from "./config.js";
import { setFeatureInConfig } from "./config-edit.js";
import { resolveAllFeatures } from "./features.js";

/** What is to be changed. */
export interface FeatureChangeOptions {
  /** The name as it was written. */
  readonly name: string;
  readonly value: boolean;
  /** The configuration as it is now. */
  readonly text: string;
  /** Where it stands, for messages. */
  readonly file: string;
  readonly environment: Environment;
}

/** A change of one feature in the configuration. */
export interface FeatureChange<Key extends string> {
  /** The feature as every later command will find it. */
  readonly state: FeatureState<Key>;
  /** The configuration with the change; `undefined`: a feature that was removed is not written any more. */
  readonly text: string | undefined;
  readonly warnings: readonly FeatureWarning[];
}

/**
 * Makes a configuration that turns a feature on or off, and reads it as every later command will, before anything is written.
 *
 * @throws {FeatureFlagError} `unknown_feature` with the nearest name; `config_invalid`
 * @throws {CliError} `config_invalid` when the text is no TOML, or cannot be edited safely
 */
export function changeFeature<Key extends string>(
  registry: FeatureRegistry<Key>,
  { name, value, text, file, environment }: FeatureChangeOptions,
): FeatureChange<Key> {
  const key = parseFeatureKey(registry, name);
  const isRemoved = registry.features.get(key)?.stage === "removed";
  const edited = isRemoved ? undefined : setFeatureInConfig(text, key, value, file);
  const config = parseConfig(edited ?? text, file);
  const features = resolveAllFeatures(registry, { config, environment, enable: [], disable: [] });
  const state = features.list().find((entry) => entry.key === key);
  if (state === undefined) throw new TypeError(`the registry lost ${key}`);
  return {
    state,
    text: edited,
    warnings: [...warningsOf(name, key, isRemoved), ...features.warnings],
  };
}

function warningsOf(name: string, key: string, isRemoved: boolean): readonly FeatureWarning[] {
  const warnings: FeatureWarning[] = [];
  if (name !== key) {
    const message = `"${name}" is an earlier name of "${key}"`;
    warnings.push({ code: "alias", key: name, message, hint: `write ${key}` });
  }
  if (isRemoved) {
    const message = `"${key}" was removed: there is nothing to turn on or off, and nothing is written`;
    warnings.push({ code: "removed", key: name, message });
  }
  return warnings;
}
