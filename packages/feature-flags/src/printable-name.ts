// As `escapeText` of agent-key does, which this package cannot use because it depends on none; a test of the CLI compares them.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
const MAX_CHARACTERS = 80;

/** Makes a name that someone wrote safe to print: escaped where it could act on a terminal, and cut at 80 characters. */
export function printableName(name: string): string {
  const characters = [...name.slice(0, 2 * MAX_CHARACTERS + 1)];
  const cut = characters.slice(0, MAX_CHARACTERS).join("");
  const text = cut.replace(
    UNPRINTABLE,
    // Each unit of UTF-16 as JSON escapes it.
    (character) => character.replace(/./gs, escapeUnit),
  );
  return characters.length > MAX_CHARACTERS ? `${text}…` : text;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
