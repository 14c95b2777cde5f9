import { checkOption, isObject } from "./check-option.js";
import { FeatureFlagError } from "./feature-flag-error.js";
import { printableName } from "./printable-name.js";

const ON: ReadonlySet<string> = new Set(["1", "true", "on", "yes"]);
const OFF: ReadonlySet<string> = new Set(["0", "false", "off", "no"]);

/** Where settings come from, weakest first. */
export const SOURCE_KINDS = ["config", "environment", "switch"] as const;

/** One kind of {@link SOURCE_KINDS}. */
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** One setting as a source has it, not yet matched with a registry. */
export interface FeatureSetting {
  /** The name as it was written. */
  readonly name: string;
  /** Where it stands, for messages: file and key, variable, or switch. Safe to print. */
  readonly from: string;
  /** What it says; `undefined`: neither on nor off. */
  readonly value: boolean | undefined;
  /** Why the value is undefined, for messages. Never the value itself. */
  readonly problem?: string | undefined;
}

/** Settings of one place; made by {@link configSource}, {@link environmentSource} or {@link switchSource}. */
export interface FeatureSource {
  readonly kind: SourceKind;
  readonly settings: readonly FeatureSetting[];
}

/** Options of {@link configSource}. */
export interface ConfigSourceOptions {
  /** The file that the table was read from, for messages. */
  readonly file: string;
  /** The parsed table: keys with booleans. Absent (`undefined`): no settings. */
  readonly table: unknown;
  /** The name of the table in that file, for messages. Default `features`. */
  readonly tableName?: string | undefined;
}

/**
 * Takes settings from a parsed configuration table. Only own members count.
 *
 * @throws {FeatureFlagError} `config_invalid` when `table` is something other than a table, or `file` is missing
 */
export function configSource(options: ConfigSourceOptions): FeatureSource {
  checkOption("options", isObject(options), "an object with file and table", options);
  const { table } = options;
  checkOption("file", typeof options.file === "string", "the name of a file", options.file);
  const file = printableName(options.file);
  const tableName = options.tableName ?? "features";
  if (table === undefined) return { kind: "config", settings: [] };
  if (!isTable(table)) {
    throw new FeatureFlagError(
      "config_invalid",
      `${file}: ${tableName} must be a table, not ${typeName(table)}`,
      { hint: `write [${tableName}] and under it lines such as "name = true"` },
    );
  }
  const settings: FeatureSetting[] = [];
  for (const [name, value] of Object.entries(table)) {
    if (value === undefined) continue;
    const from = `${file}: ${tableName}.${printableName(name)}`;
    if (typeof value === "boolean") settings.push({ name, from, value });
    else {
      const problem = `must be true or false, not ${typeName(value)}`;
      settings.push({ name, from, value: undefined, problem });
    }
  }
  return { kind: "config", settings };
}

/** Options of {@link environmentSource}. */
export interface EnvironmentSourceOptions {
  /** The environment, for instance `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the variables of this program begin with, for instance `MY_APP_FEATURE_`. */
  readonly prefix: string;
}

/**
 * Takes settings from environment variables: the prefix, then the key in upper case, with the value `true`, `1`, `on`, `yes` or `false`,
 * `0`, `off`, `no` in any case. An empty variable counts as not set.
 *
 * @throws {FeatureFlagError} `config_invalid` if the prefix is missing or empty, which would take every variable for a feature; if `env` is missing
 */
export function environmentSource(options: EnvironmentSourceOptions): FeatureSource {
  checkOption("options", isObject(options), "an object with env and prefix", options);
  const { env, prefix } = options;
  checkOption("env", isObject(env), "an environment, for instance process.env", env);
  const hasPrefix = typeof prefix === "string" && prefix !== "";
  checkOption("prefix", hasPrefix, 'a text, for instance "MY_APP_FEATURE_"', prefix);
  const settings: FeatureSetting[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || text === undefined || text === "") continue;
    const suffix = variable.slice(prefix.length);
    // No key has upper case: a suffix that is spelt otherwise matches no feature (and warns), so that two spellings cannot disagree.
    const name = suffix === suffix.toUpperCase() ? suffix.toLowerCase() : suffix.toUpperCase();
    settings.push({ name, from: printableName(variable), ...readSwitchWord(text) });
  }
  return { kind: "environment", settings };
}

/** Options of {@link switchSource}. */
export interface SwitchSourceOptions {
  /** Keys after `--enable`. Default none. */
  readonly enable?: readonly string[] | undefined;
  /** Keys after `--disable`. Default none. A key that is given to both is off. */
  readonly disable?: readonly string[] | undefined;
}

/**
 * Takes settings from command line switches. An unknown key among them is an error when the features are resolved.
 *
 * @throws {FeatureFlagError} `config_invalid` if `enable` or `disable` is not a list
 */
export function switchSource(options: SwitchSourceOptions): FeatureSource {
  checkOption("options", isObject(options), "an object with enable and disable", options);
  const { enable = [], disable = [] } = options;
  checkOption("enable", Array.isArray(enable), "a list of keys", enable);
  checkOption("disable", Array.isArray(disable), "a list of keys", disable);
  return {
    kind: "switch",
    settings: [
      ...enable.map((name) => ({ name, from: `--enable ${printableName(name)}`, value: true })),
      ...disable.map((name) => ({ name, from: `--disable ${printableName(name)}`, value: false })),
    ],
  };
}

function readSwitchWord(text: string): Pick<FeatureSetting, "value" | "problem"> {
  const word = text.trim().toLowerCase();
  if (ON.has(word)) return { value: true };
  if (OFF.has(word)) return { value: false };
  return { value: undefined, problem: "must be true or false (or 1, 0, on, off, yes, no)" };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Date) return "a date";
  return typeof value === "object" ? "a table" : `a ${typeof value}`;
}
