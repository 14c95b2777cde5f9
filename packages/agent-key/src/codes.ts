import { CODE_ROWS, type Code, type CodeRow, type CodeWith } from "./code-rows.js";

export type { Code, CodeRow, CodeWith } from "./code-rows.js";
export { CODE_ROWS } from "./code-rows.js";

/** Every code of the protocol, in the order of their rows. */
export const CODES = Object.keys(CODE_ROWS) as [Code, ...Code[]];

/** Returns whether a value, for instance the `code` in a foreign server's answer, is a code of this protocol. */
export function isCode(value: unknown): value is Code {
  return typeof value === "string" && Object.hasOwn(CODE_ROWS, value);
}

/**
 * Returns the row of a code. An error of another version of a package may have a code without a row here. Such a code counts as `internal`:
 * servers do not send its name, and it leads to no recovery.
 */
export function codeRow(code: Code): CodeRow {
  return isCode(code) ? CODE_ROWS[code] : CODE_ROWS.internal;
}

/** Returns whether the row of a code has this value in this column. */
export function hasInRow<Column extends keyof CodeRow, Value extends CodeRow[Column]>(
  code: Code,
  column: Column,
  value: Value,
): code is CodeWith<Column, Value> {
  return codeRow(code)[column] === value;
}

/**
 * Gives what to do about a code, one sentence for a person; `undefined` if only the error itself can say.
 *
 * @param authority - URL of the authority in question, named in the sentence
 */
export function hintOfCode(code: Code, authority = "the authority"): string | undefined {
  return codeRow(code).hint?.replace("{authority}", () => authority);
}
