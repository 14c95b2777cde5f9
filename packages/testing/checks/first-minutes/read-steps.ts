import { markdownBlocks } from "@countersign/testing";

/** What the reader does next: runs commands, or writes a file. */
export type Step =
  | { readonly kind: "run"; readonly script: string }
  | { readonly kind: "write"; readonly file: string; readonly text: string };

/** How the README's commands are called with another package manager: pairs of what stands there and what to write. */
export type Words = readonly (readonly [from: string, to: string])[];

/** Reads the steps of a section of the README, in their order. */
export function readSteps(readme: string, section: string): readonly Step[] {
  return markdownBlocks(readme, section).map(({ language, text, file }): Step => {
    if (language === "sh") return { kind: "run", script: text };
    if (language === "ts" && file !== undefined) return { kind: "write", file, text };
    throw new Error(`a reader does not know what to do with this block: ${text}`);
  });
}

/** Reads the words of each package manager from the table whose header begins with `with npm`. */
export function readWords(readme: string): ReadonlyMap<string, Words> {
  const rows = [...readme.matchAll(/^\|(.*)\|$/gm)].map(([, row = ""]) => row.split("|"));
  const start = rows.findIndex(([first = ""]) => first.trim() === "with npm");
  const header = rows[start] ?? [];
  const table = rows.slice(start + 2, start + 5);
  const word = (cell = "") => /`([^`]+)`/.exec(cell)?.[1] ?? "";
  return new Map(
    header.map((cell, column) => {
      const words = table.map((row) => [word(row[0]), word(row[column])] as const);
      return [cell.trim().replace("with ", ""), words];
    }),
  );
}

/** Replaces each word of the README's commands by that of another package manager. */
export function translate(script: string, words: Words): string {
  return words.reduce((text, [from, to]) => text.replaceAll(from, to), script);
}
