import { setImmediate as turn } from "node:timers/promises";
import type { ListSort } from "../schema/admin-requests.js";
import { listPage } from "./list-page.js";
import { Refusal } from "./refusal.js";

/** So many entries are looked for by their ids and sorted here. Beyond it, entries are picked from all, in the order of an index. */
const FEW = 10_000;
// As many ids as one statement may name.
const PORTION = 1_000;
const CURSOR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ),(.+)$/;

/** Where the last use of an entry stands. */
interface Used {
  readonly used_at: string | null;
}

/** A query for the ids of those that a filter leaves. */
export interface IdQuery {
  limit(count: number): { execute(): Promise<readonly { readonly id: string }[]> };
}

/** How entries of one kind are listed by their ids. Every statement reads by an index, and a bounded number of rows. */
export interface IdListing<Row, Entry> {
  /** What is asked for, by one member each: those that leave the fewest come first. */
  readonly filters: readonly IdQuery[];
  /** Reads rows by their ids, in any order. */
  byIds(ids: readonly string[]): Promise<readonly Row[]>;
  /** Reads rows in the order of their ids, after one of them, or from the beginning on. */
  byId(order: "asc" | "desc", after: string | undefined, count: number): Promise<readonly Row[]>;
  idOf(row: Row): string;
  /** Gives `undefined` for a row that is not asked for: all filters are looked at again. */
  toEntry(row: Row): Entry | undefined;
}

/** How entries of one kind are listed in any order. */
export interface Listing<Row extends Used, Entry> extends IdListing<Row, Entry> {
  /** Reads where the last uses stand, the newest one first. */
  byUse(after: UsePlace | undefined, count: number): Promise<readonly UsePlace[]>;
}

/** A place in a list by last use. */
export interface UsePlace {
  readonly used_at: string;
  readonly id: string;
}

/** What is asked of a list. */
export interface ListQuestion {
  readonly sort?: ListSort;
  readonly after?: string;
  readonly limit: number;
}

/** Reads one page of entries. Throws `invalid_request` for a place that is not one of this order. */
export async function listEntries<Row extends Used, Entry>(
  question: ListQuestion,
  listing: Listing<Row, Entry>,
): Promise<Entry[]> {
  const { sort = "oldest", after, limit } = question;
  if (sort === "used") {
    const few = await fewIds(listing);
    const place = useCursorOf(after);
    return few === undefined
      ? listByUse(limit, place, listing)
      : await sortByUse(few, limit, place, listing);
  }
  if (after !== undefined && CURSOR.test(after)) throw wrongPlace("the id of the last one seen");
  return await listByIds(sort === "oldest" ? "asc" : "desc", after, limit, listing);
}

/** Reads so many entries in the order of their ids, after one of them, or from the beginning on. */
export async function listByIds<Row, Entry>(
  order: "asc" | "desc",
  after: string | undefined,
  limit: number,
  listing: IdListing<Row, Entry>,
): Promise<Entry[]> {
  const few = await fewIds(listing);
  if (few !== undefined) return await listGiven(inOrder(few, order, after), limit, listing);
  return await listPage<Row, Entry>(limit, {
    read: (last, count) =>
      listing.byId(order, last === undefined ? after : listing.idOf(last), count),
    toEntry: listing.toEntry,
  });
}

/** Reads so many entries by their ids, in the order of these. */
export function listGiven<Row, Entry>(
  ids: readonly string[],
  limit: number,
  listing: Pick<IdListing<Row, Entry>, "byIds" | "idOf" | "toEntry">,
): Promise<Entry[]> {
  let read = 0;
  return listPage<Row, Entry>(limit, {
    read: async (_, count) => {
      const rows: Row[] = [];
      // What was deleted since its id was read is passed over, and does not end the list.
      while (rows.length < count && read < ids.length) {
        const some = ids.slice(read, read + count - rows.length);
        read += some.length;
        rows.push(...inOrderOf(some, await readAll(some, listing), listing));
      }
      return rows;
    },
    toEntry: listing.toEntry,
  });
}

/** The ids that the first filter leaves which leaves few of them; `undefined` if none does. */
async function fewIds<Row, Entry>({
  filters,
}: IdListing<Row, Entry>): Promise<readonly string[] | undefined> {
  for (const filter of filters) {
    const found = await filter.limit(FEW + 1).execute();
    if (found.length <= FEW) return found.map(({ id }) => id);
  }
  return undefined;
}

function inOrder(
  ids: readonly string[],
  order: "asc" | "desc",
  after: string | undefined,
): readonly string[] {
  const sign = order === "asc" ? 1 : -1;
  const sorted = [...ids].sort((a, b) => sign * (a < b ? -1 : 1));
  if (after === undefined) return sorted;
  return sorted.filter((id) => (order === "asc" ? id > after : id < after));
}

async function readAll<Row, Entry>(
  ids: readonly string[],
  listing: Pick<IdListing<Row, Entry>, "byIds">,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let start = 0; start < ids.length; start += PORTION) {
    if (start > 0) await turn();
    rows.push(...(await listing.byIds(ids.slice(start, start + PORTION))));
  }
  return rows;
}

function inOrderOf<Row, Entry>(
  ids: readonly string[],
  rows: readonly Row[],
  { idOf }: Pick<IdListing<Row, Entry>, "idOf">,
): readonly Row[] {
  const byId = new Map(rows.map((row) => [idOf(row), row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

async function listByUse<Row extends Used, Entry>(
  limit: number,
  after: UsePlace | undefined,
  listing: Listing<Row, Entry>,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let place = after;
  while (entries.length < limit) {
    const places = await listing.byUse(place, PORTION);
    const ids = places.map(({ id }) => id);
    const rows = inOrderOf(ids, await readAll(ids, listing), listing);
    entries.push(...rows.flatMap((row) => listing.toEntry(row) ?? []));
    if (places.length < PORTION) break;
    place = places.at(-1);
    await turn();
  }
  return entries.slice(0, limit);
}

async function sortByUse<Row extends Used, Entry>(
  ids: readonly string[],
  limit: number,
  after: UsePlace | undefined,
  listing: Listing<Row, Entry>,
): Promise<Entry[]> {
  const rows = await readAll(ids, listing);
  const used = rows.flatMap((row) => {
    const place = placeOf(row, listing);
    const isLater = place !== undefined && (after === undefined || compareUse(after, place) < 0);
    return isLater ? [{ row, place }] : [];
  });
  used.sort((a, b) => compareUse(a.place, b.place));
  return used.flatMap(({ row }) => listing.toEntry(row) ?? []).slice(0, limit);
}

function placeOf<Row extends Used, Entry>(
  row: Row,
  { idOf }: Listing<Row, Entry>,
): UsePlace | undefined {
  return row.used_at === null ? undefined : { used_at: row.used_at, id: idOf(row) };
}

// The last used one first.
function compareUse(a: UsePlace, b: UsePlace): number {
  if (a.used_at !== b.used_at) return a.used_at > b.used_at ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id > b.id ? -1 : 1;
}

function useCursorOf(after: string | undefined): UsePlace | undefined {
  if (after === undefined) return undefined;
  const [, used_at, id] = CURSOR.exec(after) ?? [];
  if (used_at !== undefined && id !== undefined) return { used_at, id };
  throw wrongPlace("the last use of the last one seen, a comma and its id");
}

function wrongPlace(expected: string): Refusal {
  return new Refusal("invalid_request", `after must be ${expected} in this order`, {
    hint: "give the next of the page before",
  });
}
