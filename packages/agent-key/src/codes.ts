import { CODE_ROWS, type Code, type CodeRow, type CodeWith } from "./code-rows.js";
import { CODE_HINTS, CODE_MEANINGS } from "./code-texts.js";
import { REJECTION_TEXTS } from "./rejection-texts.js";

export type { Code, CodeRow, CodeWith } from "./code-rows.js";
export { CODE_ROWS } from "./code-rows.js";

// `task ensure` alone would give what is stored: whether the task still lives, only the caller that was refused knows.
const NEW_TASK =
  "the thread's next request registers a new task; without one: countersign task forget, then countersign task ensure";

/** Every code of the protocol, in the order of their rows. */
export const CODES = /* @__PURE__ */ Object.keys(CODE_ROWS) as [Code, ...Code[]];

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
  const hint = isCode(code) ? CODE_HINTS[code] : undefined;
  return hint?.replace("{authority}", () => authority).replace("{new_task}", NEW_TASK);
}

/** Gives what a code means, in the words of protocol.md §9. A code of another version of a package has the meaning of `internal`. */
export function meaningOfCode(code: Code): string {
  const meanings: Readonly<Record<string, string>> = { ...CODE_MEANINGS, ...REJECTION_TEXTS };
  return meanings[code] ?? CODE_MEANINGS.internal;
}
