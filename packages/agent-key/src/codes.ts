import { CODE_ROWS, type Code, type CodeRow, type CodeWith } from "./code-rows.js";

export type { Code, CodeRow, CodeWith } from "./code-rows.js";
export { CODE_ROWS } from "./code-rows.js";

/** Every code of the protocol, in the order of their rows. */
export const CODES = Object.keys(CODE_ROWS) as [Code, ...Code[]];

/** Tells whether a text, for instance the `code` of a foreign server's answer, is a code of this protocol. */
export function isCode(value: unknown): value is Code {
  return typeof value === "string" && Object.hasOwn(CODE_ROWS, value);
}

/**
 * Gives the row of a code. A code that has none here, as an error of another version of a package may have, counts as `internal`: it is not
 * told by name, and leads to no recovery.
 */
export function codeRow(code: Code): CodeRow {
  return isCode(code) ? CODE_ROWS[code] : CODE_ROWS.internal;
}

/** Tells whether the row of a code has this value in this column. */
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
