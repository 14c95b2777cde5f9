export { agentIdentityFeatures } from "./agent-identity-features.js";
export type { FeatureDefinition, FeatureRegistry } from "./define-features.js";
export { defineFeatures } from "./define-features.js";
export type { FeatureFlagErrorCode, FeatureFlagErrorOptions } from "./feature-flag-error.js";
export { FeatureFlagError } from "./feature-flag-error.js";
export type {
  FeatureSet,
  FeatureState,
  FeatureWarning,
  FeatureWarningCode,
} from "./feature-set.js";
export type {
  ConfigSourceOptions,
  EnvironmentSourceOptions,
  FeatureSetting,
  FeatureSource,
  SourceKind,
  SwitchSourceOptions,
} from "./feature-source.js";
export { configSource, environmentSource, switchSource } from "./feature-source.js";
export { nearestName } from "./nearest-name.js";
export type { ParseFeatureKeyOptions } from "./parse-feature-key.js";
export { parseFeatureKey } from "./parse-feature-key.js";
export type { ResolveFeaturesOptions } from "./resolve-features.js";
export { resolveFeatures } from "./resolve-features.js";
export type { Stage } from "./stage.js";
export { STAGES } from "./stage.js";
