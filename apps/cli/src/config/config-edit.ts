import { isDeepStrictEqual } from "node:util";
import { CliError } from "../text/cli-error.js";
import { BYTE_ORDER_MARK, parseToml } from "./config.js";

const FEATURES_HEADER = /^[ \t]*\[[ \t]*(?:features|"features"|'features')[ \t]*\][ \t]*(?:#.*)?$/;
const ANY_HEADER = /^[ \t]*\[/;

/**
 * Sets one key of the table `[features]` in the text of a configuration, and leaves every other byte as it was.
 *
 * The result is parsed again: only when it says exactly what was wanted and nothing else changed is it given back.
 *
 * @param key - lower snake case, so that it needs no quotes
 * @param file - only named in errors
 * @throws {CliError} `config_invalid` when the text is no TOML, or is written in a way that cannot be edited safely
 */
export function setFeatureInConfig(
  text: string,
  key: string,
  value: boolean,
  file: string,
): string {
  const before = parseToml(text, file);
  const edited = editLines(text, key, value);
  const wanted = { ...before, features: { ...tableOf(before.features), [key]: value } };
  if (!isDeepStrictEqual(toPlain(parsed(edited, file)), toPlain(wanted))) {
    throw new CliError(
      "config_invalid",
      `${file}: its features are written in a way that is not edited`,
      {
        hint: `write "${key} = ${value}" under [features] yourself`,
      },
    );
  }
  return edited;
}

function editLines(text: string, key: string, value: boolean): string {
  if (text.startsWith(BYTE_ORDER_MARK)) {
    return BYTE_ORDER_MARK + editLines(text.slice(1), key, value);
  }
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split(/\r?\n/);
  const setting = `${key} = ${value}`;
  const header = lines.findIndex((line) => FEATURES_HEADER.test(line));
  if (header === -1) {
    const separator = text === "" || text.endsWith("\n") ? "" : newline;
    const gap = text === "" ? "" : newline;
    return `${text}${separator}${gap}[features]${newline}${setting}${newline}`;
  }
  const assignment = new RegExp(
    `^([ \\t]*(?:${key}|"${key}"|'${key}')[ \\t]*=[ \\t]*)(?:true|false)(.*)$`,
  );
  for (let index = header + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (ANY_HEADER.test(line)) break;
    const match = assignment.exec(line);
    if (match === null) continue;
    lines[index] = `${match[1]}${value}${match[2]}`;
    return lines.join(newline);
  }
  lines.splice(header + 1, 0, setting);
  return lines.join(newline);
}

function parsed(text: string, file: string): Record<string, unknown> | undefined {
  try {
    return parseToml(text, file);
  } catch (error) {
    // A text that the edit broke is not written; the caller says what to do.
    if (CliError.is(error)) return undefined;
    throw error;
  }
}

function tableOf(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

// The parser's tables have no prototype; only what they hold is compared.
function toPlain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
