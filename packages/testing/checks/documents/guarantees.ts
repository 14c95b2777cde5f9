import type { Document } from "./documents.ts";

const ID = "G-[A-Z]\\d+";
// Behind a sentence of a test: "rejects a key (G-K1)", `%s is refused (G-A14, G-A15)`.
const IN_TITLE = new RegExp(`\\((${ID}(?:, ${ID})*)\\)["'\`]`, "g");
const STATED = new RegExp(`^- <a id="(${ID})"></a>\\*\\*\\1\\*\\* \\S`, "gm");
const MENTIONED = new RegExp(`\\b${ID}\\b`, "g");

/** Reads the ids of the guarantees that the document of guarantees states, in their order. */
export function statedGuarantees(text: string): string[] {
  return [...text.matchAll(STATED)].map(([, id = ""]) => id);
}

/** Reads the ids that the titles of a file of tests bear. */
export function testedGuarantees({ text }: Pick<Document, "text">): string[] {
  return [...text.matchAll(IN_TITLE)].flatMap(([, ids = ""]) => ids.split(", "));
}

/** Reads every id that a text mentions. */
export function mentionedGuarantees({ text }: Pick<Document, "text">): string[] {
  return [...text.matchAll(MENTIONED)].map(([id]) => id);
}

/** Finds the ids that are there twice, or that are not the next of their section: the first is 1, and none is left out. */
export function misnumberedGuarantees(ids: readonly string[]): string[] {
  const counts = new Map<string, number>();
  return ids.filter((id) => {
    const [section = "", number] = [id.slice(0, 3), Number(id.slice(3))];
    const next = (counts.get(section) ?? 0) + 1;
    counts.set(section, next);
    return number !== next;
  });
}
