import { nearestName } from "@countersign/feature-flags";
import type { Environment } from "../home/environment.js";
import type { SecretVariable } from "../process/secret-variables.js";
import { CliError, usageError } from "../text/cli-error.js";

/** A value as someone wrote it. */
export interface WrittenValue {
  readonly value: unknown;
  /** The file and key, the variable or the switch, for messages. */
  readonly from: string;
  /** Whether it comes from where everything is text: a variable, a switch. */
  readonly isText: boolean;
}

/** Reads a value. Throws `usage`, naming `from`, when it is not allowed. */
export type SettingKind<T> = (written: WrittenValue) => T;

/** What can be set: the kind of each key. A key of a table in the file is written `table.key`. */
export type SettingKinds = Readonly<Record<string, SettingKind<unknown>>>;

/** What was set. */
export type Settings<Kinds extends SettingKinds> = {
  readonly [Key in keyof Kinds]?: ReturnType<Kinds[Key]>;
};

/** Where values come from, the strongest first. */
export interface SettingSources<Key extends string> {
  /** The switches that were given, by key. */
  readonly switches: Partial<
    Readonly<Record<Key, { readonly name: string; readonly value?: string | undefined }>>
  >;
  readonly environment: Environment;
  /** What a variable's name begins with; the rest is the key in capitals, with `_` for the point of a table. */
  readonly prefix: string;
  /** The variables of the keys that are secrets. These are taken out of the environment. */
  readonly secrets: Partial<Readonly<Record<Key, SecretVariable>>>;
  readonly file?:
    | { readonly name: string; readonly values: Readonly<Record<string, unknown>> }
    | undefined;
  /** What else may name a variable as `env:VAR`: all switches of the command, by any keys. */
  readonly allSwitches: object;
}

const NAMED_VARIABLE = /\benv:([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * Reads settings: a switch wins over a variable, a variable over the file.
 *
 * A variable that a switch, a variable or the file names as `env:VAR` is no setting, whatever it is called.
 *
 * @param warn - called with the other variables that have the prefix and resemble no setting
 * @throws {CliError} `config_invalid` if a value is not allowed, or a key is unknown, with the nearest known key: a misspelt limit would
 *   otherwise be no limit; `usage` if the value of a switch is not allowed
 */
export function readSettings<Kinds extends SettingKinds>(
  kinds: Kinds,
  sources: SettingSources<keyof Kinds & string>,
  warn: (message: string) => void,
): Settings<Kinds> {
  const { switches, environment, prefix, secrets, file } = sources;
  const keys: readonly (keyof Kinds & string)[] = Object.keys(kinds);
  const inFile = file === undefined ? undefined : flatten(file.values, keys);
  if (file !== undefined) refuseUnknownKeys(file.name, Object.keys(inFile ?? {}), keys);
  refuseUnknownVariables(sources, keys, warn);
  const settings: Record<string, unknown> = {};
  for (const key of keys) {
    const variable = variableOf(prefix, key);
    // Taken out of the environment even if a switch wins, so that no other program gets it.
    const secret = secrets[key];
    const text = secret === undefined ? environment.get(variable) : environment.takeSecret(secret);
    const { name = "", value } = switches[key] ?? {};
    const kind = kinds[key];
    if (kind === undefined) continue;
    if (value !== undefined) {
      settings[key] = kind({ value, from: name, isText: true });
    } else if (text !== undefined) {
      settings[key] = configured(kind, { value: text, from: variable, isText: true });
    } else if (file !== undefined && inFile?.[key] !== undefined) {
      const written = { value: inFile[key], from: `${file.name}: \`${key}\``, isText: false };
      settings[key] = configured(kind, written);
    }
  }
  return settings as Settings<Kinds>;
}

/** The variable of a key. */
export function variableOf(prefix: string, key: string): string {
  return prefix + key.replaceAll(".", "_").toUpperCase();
}

// Tables of the file become keys with a point, down to those that are known as a whole.
function flatten(
  values: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  above = "",
): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const key = above + name;
    if (!keys.includes(key) && isTable(value) && Object.keys(value).length > 0)
      Object.assign(flat, flatten(value, keys, `${key}.`));
    else flat[key] = value;
  }
  return flat;
}

/** Returns whether a value of a file is a table. */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

/**
 * Refuses a key that is not known, with the nearest one.
 *
 * @throws {CliError} `config_invalid`
 */
export function refuseUnknownKeys(
  file: string,
  written: readonly string[],
  keys: readonly string[],
): void {
  const unknown = written.find((key) => !keys.includes(key));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, keys);
  throw new CliError("config_invalid", `${file}: \`${unknown}\` is not known`, {
    hint: nearest === undefined ? `known keys: ${keys.join(", ")}` : `did you mean ${nearest}?`,
  });
}

// Others name variables too: Kubernetes makes `…_PORT` and `…_SERVICE_HOST` from the name of a service.
function refuseUnknownVariables(
  { environment, prefix, file, allSwitches }: SettingSources<string>,
  keys: readonly string[],
  warn: (message: string) => void,
): void {
  const prefixed = Object.entries(environment.variables).filter(([name]) =>
    name.startsWith(prefix),
  );
  const texts = prefixed.map(([, text]) => text);
  const named = namedVariables([allSwitches, file?.values, texts]);
  const known = keys.map((key) => variableOf("", key));
  const strangers: string[] = [];
  for (const [name] of prefixed) {
    if (named.includes(name) || known.includes(name.slice(prefix.length))) continue;
    const nearest = nearestName(name.slice(prefix.length), known);
    if (nearest !== undefined) {
      const hint = `did you mean ${prefix}${nearest}?`;
      throw new CliError("config_invalid", `the variable ${name} is not known`, { hint });
    }
    strangers.push(name);
  }
  if (strangers.length > 0) warn(`no settings, and ignored: ${strangers.sort().join(", ")}`);
}

// At any depth: also in the lists and tables of a file.
function namedVariables(written: unknown): readonly string[] {
  if (typeof written === "string") {
    return Array.from(written.matchAll(NAMED_VARIABLE), ([, name = ""]) => name);
  }
  if (typeof written !== "object" || written === null) return [];
  return Object.values(written).flatMap((value) => namedVariables(value));
}

// What stands in a file or a variable is configuration; what stands in a switch is usage.
function configured(kind: SettingKind<unknown>, written: WrittenValue): unknown {
  try {
    return kind(written);
  } catch (error) {
    if (!CliError.is(error) || error.code !== "usage") throw error;
    const { message, hint } = error;
    throw new CliError("config_invalid", message, { cause: error, hint });
  }
}

/** Makes the error of a value that is not allowed. */
export function notAllowed({ from }: WrittenValue, expected: string): CliError {
  return usageError(`${from} must be ${expected}`, "correct the configuration");
}
