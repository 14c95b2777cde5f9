import { checkOption, isObject } from "./check-option.js";
import type { FeatureDefinition, FeatureRegistry } from "./define-features.js";
import { FeatureFlagError } from "./feature-flag-error.js";
import type { FeatureSet, FeatureState, FeatureWarning } from "./feature-set.js";
import { type FeatureSetting, type FeatureSource, SOURCE_KINDS } from "./feature-source.js";
import {
  findFeatureKey,
  parseFeatureKey,
  suggestFeature,
  unknownFeature,
} from "./parse-feature-key.js";
import { printableName } from "./printable-name.js";

/** Options of {@link resolveFeatures}. */
export interface ResolveFeaturesOptions {
  /** Leave out the `under_development` warnings. Default false. */
  readonly suppressUnstable?: boolean | undefined;
  /** The hint of `under_development` warnings: how this program's user can suppress them. Default none. */
  readonly suppressHint?: string | undefined;
}

/**
 * Decides which features are on: default, then config tables, then the environment, then switches, the later ones winning. Of two sources
 * of one kind the later in the list wins; a key wins over its aliases in the same file or environment; `--disable` wins over `--enable`.
 *
 * @throws {FeatureFlagError} `unknown_feature` for an unknown name in a switch (elsewhere it is a warning); `config_invalid` for a
 *   value that is neither on nor off, for a source of an unknown kind, and for an argument that is missing or wrong
 */
export function resolveFeatures<Key extends string>(
  registry: FeatureRegistry<Key>,
  sources: readonly FeatureSource[] = [],
  options: ResolveFeaturesOptions = {},
): FeatureSet<Key> {
  checkArguments(registry, sources, options);
  const states = new Map<Key, FeatureState<Key>>();
  for (const [key, definition] of registry.features) {
    const { stage, description } = definition;
    states.set(key, { key, stage, enabled: definition.default, source: "default", description });
  }
  const warnings: FeatureWarning[] = [];
  for (const source of inOrder(sources)) {
    for (const setting of aliasesFirst(registry, source)) {
      const key = matchKey(registry, source, setting, warnings);
      const definition = key === undefined ? undefined : registry.features.get(key);
      if (key === undefined || definition === undefined) continue;
      if (setting.value === undefined) throw invalidValue(setting);
      warnings.push(...nameWarnings(key, definition, setting));
      if (definition.stage === "removed") continue;
      const { stage, description } = definition;
      states.set(key, {
        key,
        stage,
        enabled: setting.value,
        source: source.kind,
        from: setting.from,
        description,
      });
    }
  }
  if (options.suppressUnstable !== true) {
    warnings.push(...unstableWarnings(states, options.suppressHint));
  }
  return createFeatureSet(registry, states, warnings);
}

function checkArguments(registry: unknown, sources: unknown, options: unknown): void {
  const isRegistry =
    isObject(registry) && registry.features instanceof Map && registry.aliases instanceof Map;
  checkOption("registry", isRegistry, "what defineFeatures returns", registry);
  checkOption("sources", Array.isArray(sources), "a list of sources", sources);
  checkOption("options", isObject(options), "an object", options);
  for (const source of sources as readonly unknown[]) {
    const isSource = isObject(source) && Array.isArray(source.settings);
    checkOption("sources", isSource, "a list of sources, for instance switchSource({})", source);
    const { kind } = source as { readonly kind?: unknown };
    if ((SOURCE_KINDS as readonly unknown[]).includes(kind)) continue;
    // A source that is in no place of the order would be left out without a word.
    const shown = typeof kind === "string" ? `"${printableName(kind)}"` : typeof kind;
    throw new FeatureFlagError("config_invalid", `sources: ${shown} is not a kind of source`, {
      hint: `the kinds are ${SOURCE_KINDS.join(", ")}`,
    });
  }
}

function inOrder(sources: readonly FeatureSource[]): readonly FeatureSource[] {
  return SOURCE_KINDS.flatMap((kind) => sources.filter((source) => source.kind === kind));
}

// So that a key has the last word over its aliases. Switches keep their order, in which `--disable` comes last.
function aliasesFirst(
  registry: FeatureRegistry,
  { kind, settings }: FeatureSource,
): readonly FeatureSetting[] {
  if (kind === "switch") return settings;
  const isAlias = ({ name }: FeatureSetting) => registry.aliases.has(name);
  return [...settings.filter(isAlias), ...settings.filter((setting) => !isAlias(setting))];
}

function matchKey<Key extends string>(
  registry: FeatureRegistry<Key>,
  { kind }: FeatureSource,
  { name, from }: FeatureSetting,
  warnings: FeatureWarning[],
): Key | undefined {
  // A switch is typed now, by this program's user. A file or an environment may be shared with a newer version that knows the name.
  if (kind === "switch") {
    return parseFeatureKey(registry, name, { from: from.slice(0, from.indexOf(" ")) });
  }
  const key = findFeatureKey(registry, name);
  if (key === undefined) {
    const hint = suggestFeature(registry, name);
    warnings.push({ code: "unknown_key", key: name, message: `${from}: unknown feature`, hint });
  }
  return key;
}

function nameWarnings(
  key: string,
  { stage }: FeatureDefinition,
  { name, from }: FeatureSetting,
): readonly FeatureWarning[] {
  const warnings: FeatureWarning[] = [];
  if (name !== key) {
    const message = `${from}: "${printableName(name)}" is an earlier name of "${key}"`;
    warnings.push({ code: "alias", key: name, message, hint: `write ${key}` });
  }
  if (stage === "deprecated") {
    const message = `${from}: "${key}" is deprecated and will be removed`;
    warnings.push({ code: "deprecated", key: name, message, hint: "remove the setting" });
  }
  if (stage === "removed") {
    const message = `${from}: "${key}" was removed; the setting changes nothing`;
    warnings.push({ code: "removed", key: name, message, hint: "remove the setting" });
  }
  return warnings;
}

function unstableWarnings(
  states: ReadonlyMap<string, FeatureState>,
  hint: string | undefined,
): readonly FeatureWarning[] {
  return [...states.values()]
    .filter(({ stage, enabled }) => stage === "under_development" && enabled)
    .map(({ key }) => ({
      code: "under_development",
      key,
      message: `"${key}" is on and under development: it is incomplete and may change or fail`,
      ...(hint === undefined ? {} : { hint }),
    }));
}

function invalidValue({ from, problem }: FeatureSetting): FeatureFlagError {
  return new FeatureFlagError("config_invalid", `${from} ${problem ?? "must be true or false"}`, {
    hint: "turn the feature on with true or off with false, without quotes in a file",
  });
}

function createFeatureSet<Key extends string>(
  registry: FeatureRegistry<Key>,
  states: ReadonlyMap<Key, FeatureState<Key>>,
  warnings: readonly FeatureWarning[],
): FeatureSet<Key> {
  const list = Object.freeze([...states.values()].map((state) => Object.freeze(state)));
  return Object.freeze({
    isEnabled(key: Key): boolean {
      const state = states.get(key);
      // In code without types a misspelt key is an error, never a silent "off".
      if (state === undefined) throw unknownFeature(registry, key);
      return state.enabled;
    },
    find(name: string): FeatureState<Key> | undefined {
      const key = findFeatureKey(registry, name);
      return key === undefined ? undefined : states.get(key);
    },
    list: () => list,
    warnings: Object.freeze(warnings.map((warning) => Object.freeze(warning))),
  });
}
