import { checkOption, isObject } from "./check-option.js";
import { FeatureFlagError } from "./feature-flag-error.js";
import { STAGES, type Stage } from "./stage.js";

const KEY = /^[a-z][a-z0-9_]{0,63}$/;

/** What is declared about one feature. */
export interface FeatureDefinition {
  /** How finished it is. */
  readonly stage: Stage;
  /** Whether it is on when no source says otherwise. */
  readonly default: boolean;
  /** One sentence for a person. */
  readonly description: string;
  /** Earlier names, which still work and warn. Default none. */
  readonly aliases?: readonly string[] | undefined;
}

/** The features of a program; made by {@link defineFeatures}. */
export interface FeatureRegistry<Key extends string = string> {
  /** The features by key, sorted by key. */
  readonly features: ReadonlyMap<Key, FeatureDefinition>;
  /** Earlier names and the keys that they stand for. */
  readonly aliases: ReadonlyMap<string, Key>;
}

/**
 * Declares the features of a program, so that the compiler knows their keys.
 *
 * @param definitions - by key: lower snake case, 1 to 64 characters, beginning with a letter; aliases have the same form
 * @throws {FeatureFlagError} `config_invalid` if a key, an alias or a definition is not of that form, or a name is given twice
 */
export function defineFeatures<
  const Definitions extends Readonly<Record<string, FeatureDefinition>>,
>(definitions: Definitions): FeatureRegistry<keyof Definitions & string> {
  checkOption("definitions", isObject(definitions), "an object of features by key", definitions);
  type Key = keyof Definitions & string;
  const features = new Map<Key, FeatureDefinition>();
  const aliases = new Map<string, Key>();
  // Object.keys gives own members alone, and maps have no inherited ones: a feature may be called `constructor`.
  for (const key of Object.keys(definitions).sort() as Key[]) {
    features.set(key, checkDefinition(key, definitions[key]));
  }
  for (const [key, { aliases: earlier = [] }] of features) {
    if (!Array.isArray(earlier)) throw invalidArgument(`aliases of "${key}" must be a list`);
    for (const alias of earlier) {
      if (!KEY.test(alias)) throw invalidArgument(`alias "${alias}" of "${key}" is not a key`);
      if (aliases.has(alias) || features.has(alias as Key)) {
        throw invalidArgument(`the name "${alias}" is given twice`);
      }
      aliases.set(alias, key);
    }
  }
  return Object.freeze({ features, aliases });
}

function checkDefinition(
  key: string,
  definition: FeatureDefinition | undefined,
): FeatureDefinition {
  if (!KEY.test(key)) throw invalidArgument(`"${key}" is not lower snake case`);
  if (
    !isObject(definition) ||
    !STAGES.includes(definition.stage) ||
    typeof definition.default !== "boolean" ||
    typeof definition.description !== "string"
  ) {
    throw invalidArgument(`"${key}" needs a stage, a default and a description`);
  }
  return Object.freeze({ ...definition });
}

function invalidArgument(message: string): FeatureFlagError {
  return new FeatureFlagError("config_invalid", `definitions: ${message}`, {
    hint: "correct what is given to defineFeatures",
  });
}
