import type { SourceKind } from "./feature-source.js";
import type { Stage } from "./stage.js";

/** One feature as it was resolved. */
export interface FeatureState<Key extends string = string> {
  readonly key: Key;
  readonly stage: Stage;
  readonly enabled: boolean;
  /** The kind of source that decided: `default` when none did. */
  readonly source: "default" | SourceKind;
  /** Where exactly the deciding setting stands, for a person; absent for `default`. */
  readonly from?: string | undefined;
  readonly description: string;
}

/**
 * What a warning is about: `under_development` (such a feature is on), `unknown_key` (in a file or the environment), `alias`, `deprecated`
 * or `removed` (such a name was set).
 */
export type FeatureWarningCode =
  | "under_development"
  | "unknown_key"
  | "alias"
  | "deprecated"
  | "removed";

/** Something that a person should be told about the settings. */
export interface FeatureWarning {
  readonly code: FeatureWarningCode;
  /** The name as it was written; for `under_development` the key. Not escaped. */
  readonly key: string;
  /** One sentence, safe to print. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly hint?: string | undefined;
}

/** The features of one process, decided once and for all; made by `resolveFeatures`. Immutable. */
export interface FeatureSet<Key extends string = string> {
  /**
   * Returns whether a feature is on.
   *
   * @throws {FeatureFlagError} `unknown_feature` if the registry has no such key; the compiler prevents this where it can
   */
  isEnabled(key: Key): boolean;
  /** The feature that a name stands for: its key, or an earlier name of it. `undefined`: no feature has that name. */
  find(name: string): FeatureState<Key> | undefined;
  /** Every feature, sorted by key. */
  list(): readonly FeatureState<Key>[];
  /** What to tell a person; empty when all is well. */
  readonly warnings: readonly FeatureWarning[];
}
