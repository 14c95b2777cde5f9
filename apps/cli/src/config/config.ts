import { join } from "node:path";
import { CountersignError, parseOrigin } from "@countersign/agent-key";
import { parse, TomlError } from "smol-toml";
import * as z from "zod";
import { CONFIG_FILE } from "../home/home.js";
import { readTrustedFile } from "../home/trusted-file.js";
import { CliError } from "../text/cli-error.js";

/** What editors of Windows put before a text; it is no part of it. */
export const BYTE_ORDER_MARK = "\uFEFF";

const configSchema = z.looseObject({
  authority: z.string().optional(),
  gateway: z.string().optional(),
  store: z.enum(["file", "keyring"]).default("file"),
  origins: z.array(z.string()).default([]),
  on_failure: z.enum(["fail", "bearer"]).default("fail"),
  bearer_origins: z.array(z.string()).default([]),
  suppress_unstable_features_warning: z.boolean().default(false),
  // Its form is checked by feature-flags, which names file and key.
  features: z.unknown().optional(),
});

/** The members of `config.toml` that are understood. */
export type ConfigValues = z.infer<typeof configSchema>;

/** The configuration of the home, with what is odd about it. */
export interface Config extends ConfigValues {
  /** The path of the file, whether it exists or not. */
  readonly file: string;
  readonly warnings: readonly string[];
}

const KEYS = Object.keys(configSchema.shape);

const URL_EXAMPLES = {
  authority: '"https://authority.example"',
  gateway: '"https://gateway.example"',
  origins: '["https://api.example"]',
  bearer_origins: '["https://api.example"]',
} as const;
const URL_KEYS = ["authority", "gateway", "origins", "bearer_origins"] as const;

const EXPECTED: Readonly<Record<string, string>> = {
  origins: "a list of texts",
  bearer_origins: "a list of texts",
  on_failure: '"fail" or "bearer"',
  store: '"file" or "keyring"',
  suppress_unstable_features_warning: "true or false",
};

/**
 * Loads `config.toml` of a home. A missing file is an empty one; keys it does not know become warnings.
 *
 * @throws {CliError} `config_invalid` naming file and line when it is no TOML, file and key when a value has the wrong type;
 *   `store_denied` when it cannot be read
 */
export async function loadConfig(home: string): Promise<Config> {
  const file = join(home, CONFIG_FILE);
  return parseConfig(await readConfigText(file), file);
}

/**
 * Reads the text of a configuration file; a missing one is empty. A link is followed. The file must belong to this user or to root, and must
 * not be writable by every user, because its writer decides where a login's token is sent.
 *
 * @throws {CliError} `store_denied` if the file cannot be read, or its owner or mode is not allowed
 */
export async function readConfigText(file: string): Promise<string> {
  const text = await readTrustedFile(
    file,
    "write",
    (what, cause) =>
      new CliError("store_denied", `${file} ${what}`, {
        cause,
        hint: "make it a file that you own and that only you can write",
      }),
  );
  return text ?? "";
}

/** Parses the text of a configuration file; `file` is only named in errors. */
export function parseConfig(text: string, file: string): Config {
  const result = configSchema.safeParse(parseToml(text, file));
  if (!result.success) {
    const key = String(result.error.issues[0]?.path[0] ?? "");
    throw new CliError(
      "config_invalid",
      `${file}: \`${key}\` must be ${EXPECTED[key] ?? "a text"}`,
      { cause: result.error, hint: "correct the file" },
    );
  }
  for (const key of URL_KEYS) {
    for (const url of [result.data[key] ?? []].flat()) assertUrl(url, key, file);
  }
  const unknown = Object.keys(result.data).filter((key) => !KEYS.includes(key));
  const warnings = unknown.map((key) => `${file}: unknown key \`${key}\` is ignored`);
  return { ...result.data, file, warnings };
}

// Whether plain http to another machine is allowed is the command's to say.
function assertUrl(url: string, key: (typeof URL_KEYS)[number], file: string): void {
  try {
    parseOrigin(url, { insecureHttp: true });
  } catch (error) {
    if (!CountersignError.is(error)) throw error;
    throw new CliError("config_invalid", `${file}: \`${key}\`: ${error.message}`, {
      cause: error,
      hint: `correct the file; write it as ${key} = ${URL_EXAMPLES[key]}`,
    });
  }
}

/** Parses TOML; an error names file, line and column. */
export function parseToml(text: string, file: string): Record<string, unknown> {
  try {
    return parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ""] = error.message.split("\n");
    throw new CliError(
      "config_invalid",
      `${file}:${error.line}:${error.column}: ${what.replace("Invalid TOML document: ", "")}`,
      { cause: error, hint: "correct the file; it is TOML (https://toml.io)" },
    );
  }
}
