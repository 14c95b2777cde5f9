import { escapeText } from "@countersign/agent-key/escaping";

const MAX_CHARACTERS = 512;

/** Makes a text of a file safe to print: escaped where it could act on a terminal, and cut at 512 characters. */
export function printable(text: string): string {
  const cut = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS - 1)}…` : text;
  return escapeText(cut);
}
