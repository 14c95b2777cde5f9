import { setImmediate as turn } from "node:timers/promises";

const PORTION = 1_000;

/** How one list is read. */
interface List<Row, Entry> {
  /** Reads rows in their order, so many at most, that come after a row, or from the first one on. */
  read(last: Row | undefined, count: number): Promise<readonly Row[]>;
  /** Gives `undefined` for a row that is not asked for. */
  toEntry(row: Row): Entry | undefined;
}

/**
 * Reads one page of a list. What only the rows themselves tell, such as a state at an instant, is looked for in portions, each a statement of
 * its own: however long the list is, others wait for one portion at most, also where the database works in this very thread.
 */
export async function listPage<Row, Entry>(
  count: number,
  { read, toEntry }: List<Row, Entry>,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let last: Row | undefined;
  while (entries.length < count) {
    // The first statement is enough where every row is asked for.
    const portion = last === undefined ? count : Math.max(PORTION, count - entries.length);
    const rows = await read(last, portion);
    for (const row of rows) {
      const entry = toEntry(row);
      if (entry !== undefined) entries.push(entry);
    }
    last = rows.at(-1);
    if (rows.length < portion) break;
    if (entries.length < count) await turn();
  }
  return entries.slice(0, count);
}
