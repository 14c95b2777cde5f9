/** The texts of an error for people. */
export interface ErrorTexts {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

// What a person has to change before the same call can succeed.
const NEEDS_HINT: ReadonlySet<string> = new Set([
  "config_invalid",
  "store_denied",
  "store_corrupt",
]);

/** What is wrong with the texts of an error: each says something, whole, and an error that a person must mend says how it must be or what to do. */
export function faultsOfWording({ code, message, hint }: ErrorTexts): string[] {
  const faults: string[] = [];
  if (!isWhole(message))
    faults.push(`a part of the message is missing: ${JSON.stringify(message)}`);
  if (hint === undefined && NEEDS_HINT.has(code) && !/\bmust\b/.test(message)) {
    faults.push(`no hint: ${JSON.stringify(message)}`);
  }
  if (hint !== undefined && !isWhole(hint)) {
    faults.push(`a part of the hint is missing: ${JSON.stringify(hint)}`);
  }
  return faults;
}

// An empty part of a text leaves its spaces or its semicolon, or a value that has no text.
function isWhole(text: string): boolean {
  return /^[^\s;](?:.*\S)?$/s.test(text) && !/ {2}|\[object |(?:^|: )undefined\b/.test(text);
}
