// Control characters, format characters (bidirectional controls, zero-width characters, tags and the soft hyphen), line and paragraph
// separators, lone surrogates, private use, and characters that are not shown (variation selectors, fillers): what steers a terminal, or hides what a text says.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
const UNPRINTABLE_IN_LINES =
  /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Escapes what a terminal would act upon or not show, so that a text which came from elsewhere is printed on one line and as it is.
 *
 * The form is that of JSON: `\u` and four digits for each unit of UTF-16. JSON text stays JSON, and means the same.
 */
export function escapeText(text: string): string {
  return text.replace(UNPRINTABLE, escapeCharacter);
}

/** Escapes as {@link escapeText} does but leaves line feeds and tabs, for a body that is shown on a terminal, and for lines of JSON. */
export function escapeLines(text: string): string {
  return text.replace(UNPRINTABLE_IN_LINES, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return character.replace(/./gs, escapeUnit);
}

// Without the flag `u` a pattern sees units of UTF-16.
function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
