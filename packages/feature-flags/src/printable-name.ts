// Control, formatting (which includes bidirectional) and unpaired surrogate characters, line and paragraph separators.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const MAX_CHARACTERS = 80;

/** Makes a name that someone wrote safe to print: escaped where it could act on a terminal, and cut at 80 characters. */
export function printableName(name: string): string {
  const characters = [...name.slice(0, 2 * MAX_CHARACTERS + 1)];
  const cut = characters.slice(0, MAX_CHARACTERS).join("");
  const text = cut.replace(
    UNPRINTABLE,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return characters.length > MAX_CHARACTERS ? `${text}…` : text;
}
