import { type Document, linesOutsideBlocks } from "./documents.ts";

/** A cell of a table. */
export interface LongCell {
  readonly line: number;
  readonly length: number;
}

/** The longest cell that a table may have, in characters. */
export const LONGEST_CELL = 200;

/** Finds the table cells of a document that are longer than {@link LONGEST_CELL}. */
export function longCells({ text }: Pick<Document, "text">): LongCell[] {
  return cellsOf(text).filter(({ length }) => length > LONGEST_CELL);
}

/** The length of each table cell, with the number of its line. */
export function cellsOf(text: string): LongCell[] {
  return linesOutsideBlocks(text).flatMap((line, index) =>
    line.trimStart().startsWith("|")
      ? line
          .trim()
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => ({ line: index + 1, length: cell.trim().length }))
      : [],
  );
}
