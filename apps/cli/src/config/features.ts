import {
  agentIdentityFeatures,
  configSource,
  environmentSource,
  type FeatureRegistry,
  type FeatureSet,
  type FeatureWarning,
  parseFeatureKey,
  resolveFeatures,
  switchSource,
} from "@countersign/feature-flags";
import type { Environment } from "../home/environment.js";
import type { Config } from "./config.js";

/** The key of a feature of Countersign. */
export type FeatureKey = "use_agent_identity";

/** Options of {@link loadFeatures}. */
export interface LoadFeaturesOptions {
  readonly config: Config;
  readonly environment: Environment;
  /** Keys after `--enable`. */
  readonly enable: readonly string[];
  /** Keys after `--disable`. */
  readonly disable: readonly string[];
}

/**
 * Decides the features: default, then `[features]` of the configuration, then `COUNTERSIGN_FEATURE_…`, then `--enable` and `--disable`.
 *
 * @throws {FeatureFlagError} `unknown_feature` for a switch with no such key; `config_invalid` for a value of the wrong type
 */
export function loadFeatures(options: LoadFeaturesOptions): FeatureSet<FeatureKey> {
  return resolveAllFeatures(agentIdentityFeatures, options);
}

/** Decides the features of a registry as {@link loadFeatures} does. */
export function resolveAllFeatures<Key extends string>(
  registry: FeatureRegistry<Key>,
  { config, environment, enable, disable }: LoadFeaturesOptions,
): FeatureSet<Key> {
  return resolveFeatures(
    registry,
    [
      configSource({ file: config.file, table: config.features }),
      environmentSource({ env: environment.variables, prefix: "COUNTERSIGN_FEATURE_" }),
      switchSource({ enable, disable }),
    ],
    {
      suppressUnstable: config.suppress_unstable_features_warning,
      suppressHint: `set suppress_unstable_features_warning = true in ${config.file}`,
    },
  );
}

/** Words a warning and what to do about it. */
export function formatWarning({ message, hint }: FeatureWarning): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

/**
 * Checks the names behind `--enable` and `--disable`, for commands that use no feature: a misspelt one is never silent.
 *
 * @throws {FeatureFlagError} `unknown_feature` with the nearest name
 */
export function checkSwitches(enable: readonly string[], disable: readonly string[]): void {
  for (const name of enable) parseFeatureKey(agentIdentityFeatures, name, { from: "--enable" });
  for (const name of disable) parseFeatureKey(agentIdentityFeatures, name, { from: "--disable" });
}
