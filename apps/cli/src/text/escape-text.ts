// Control characters (C0, DEL, C1), bidirectional controls and the line separators: what could rewrite the line of a terminal.
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const UNPRINTABLE_IN_LINES =
  /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Escapes what a terminal would act upon, so that a text which came from elsewhere is printed on one line and as it is. */
export function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, escapeCharacter);
}

/** Escapes as {@link escapeText} does but leaves line feeds and tabs, for a body that is shown on a terminal. */
export function escapeLines(text: string): string {
  return text.replace(UNPRINTABLE_IN_LINES, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return `\\u${hex.padStart(4, "0")}`;
}
