import type { FeatureRegistry } from "./define-features.js";
import { FeatureFlagError } from "./feature-flag-error.js";
import { nearestName } from "./nearest-name.js";
import { printableName } from "./printable-name.js";

/** Options of {@link parseFeatureKey}. */
export interface ParseFeatureKeyOptions {
  /** Where the name was written, for the message; for instance `--enable`. Default nothing. */
  readonly from?: string | undefined;
}

/**
 * Returns the key that a written name stands for: itself, or the key of an alias.
 *
 * @throws {FeatureFlagError} `unknown_feature` when no feature has that name; the hint holds the nearest one
 */
export function parseFeatureKey<Key extends string>(
  registry: FeatureRegistry<Key>,
  name: string,
  options: ParseFeatureKeyOptions = {},
): Key {
  const key = findFeatureKey(registry, name);
  if (key === undefined) throw unknownFeature(registry, name, options.from);
  return key;
}

/** The error for a name that is no key. */
export function unknownFeature(
  registry: FeatureRegistry,
  name: string,
  from?: string | undefined,
): FeatureFlagError {
  const where = from === undefined ? "" : ` (${printableName(from)})`;
  return new FeatureFlagError(
    "unknown_feature",
    `unknown feature "${printableName(name)}"${where}`,
    { hint: suggestFeature(registry, name) },
  );
}

/** The key that a name stands for, or `undefined`. */
export function findFeatureKey<Key extends string>(
  registry: FeatureRegistry<Key>,
  name: string,
): Key | undefined {
  return registry.features.has(name as Key) ? (name as Key) : registry.aliases.get(name);
}

/** One sentence on what may have been meant. */
export function suggestFeature(registry: FeatureRegistry, name: string): string {
  const nearest = nearestName(name, [...registry.features.keys(), ...registry.aliases.keys()]);
  // An alias is near enough to be meant, but the key is what should be written.
  const key = nearest === undefined ? undefined : findFeatureKey(registry, nearest);
  if (key !== undefined) return `did you mean ${key}?`;
  return `known features: ${[...registry.features.keys()].join(", ") || "none"}`;
}
