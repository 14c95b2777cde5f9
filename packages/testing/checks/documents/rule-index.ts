import type { Document } from "./documents.ts";

/** What holds the implementation to one rule of the protocol. */
export interface IndexRow {
  readonly rule: string;
  /** `file:list:name`; without a name the whole list, without a list the whole file. */
  readonly vectors: readonly string[];
  /** `package/path: a part of the test's title`. */
  readonly tests: readonly string[];
}

/** The vectors of a file by list; a file without lists has none. */
export type VectorFiles = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

const ROW = /^\| ([A-Z]-\d+) \| (.*) \| (.*) \|$/gm;

/** Reads the index of rules: the table of appendix C. */
export function readIndex(protocol: string): readonly IndexRow[] {
  const [, appendix = ""] = protocol.split("\n## Appendix C");
  return [...appendix.matchAll(ROW)].map(([, rule = "", vectors = "", tests = ""]) => ({
    rule,
    vectors: spans(vectors),
    tests: spans(tests),
  }));
}

/** Reads vector files: the names of the vectors in each of their lists. */
export function readVectors(files: readonly Document[]): VectorFiles {
  return new Map(
    files.map(({ path, text }) => {
      const lists = Object.entries(JSON.parse(text) as Record<string, unknown>).flatMap(
        ([list, vectors]) => (Array.isArray(vectors) ? [[list, vectors.map(nameOf)] as const] : []),
      );
      return [path.replace(/^.*\/|\.json$/g, ""), new Map(lists)];
    }),
  );
}

/** Finds rules without a row, rows without a rule or with nothing in them, and what a row names and is not there. */
export function faultsOfIndex(
  rows: readonly IndexRow[],
  rules: readonly string[],
  vectors: VectorFiles,
  sources: readonly Document[],
): string[] {
  const named = rows.map(({ rule }) => rule);
  const texts = new Map(sources.map(({ path, text }) => [path, text]));
  return [
    ...rules.filter((rule) => !named.includes(rule)).map((rule) => `${rule} has no row`),
    ...rows.flatMap(({ rule, vectors: ofRule, tests }) => [
      ...(rules.includes(rule) ? [] : [`${rule} is not a rule`]),
      ...(ofRule.length + tests.length > 0 ? [] : [`${rule} has neither a vector nor a test`]),
      ...ofRule.filter((it) => !hasVector(it, vectors)).map((it) => `${rule}: no vector ${it}`),
      ...tests.filter((it) => !hasTest(it, texts)).map((it) => `${rule}: no test ${it}`),
    ]),
  ];
}

/** Finds lists of vectors that no row names. */
export function unnamedLists(rows: readonly IndexRow[], vectors: VectorFiles): string[] {
  const named = rows.flatMap((row) => row.vectors);
  const isNamed = (list: string) => named.some((it) => it === list || it.startsWith(`${list}:`));
  return [...vectors].flatMap(([file, lists]) =>
    [...lists.keys()].map((list) => `${file}:${list}`).filter((list) => !isNamed(list)),
  );
}

function spans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
}

function nameOf(vector: unknown): string {
  const name: unknown = Object(vector).name;
  return typeof name === "string" ? name : "";
}

function hasVector(reference: string, vectors: VectorFiles): boolean {
  const [, file = "", list, name] = /^([^:]+)(?::([^:]+)(?::(.+))?)?$/.exec(reference) ?? [];
  const lists = vectors.get(file);
  if (list === undefined) return lists !== undefined;
  const names = lists?.get(list) ?? [];
  return name === undefined ? names.length > 0 : names.includes(name);
}

function hasTest(reference: string, texts: ReadonlyMap<string, string>): boolean {
  const [, path = "", title = ""] = /^([^:]+): (.+)$/.exec(reference) ?? [];
  return title !== "" && (texts.get(`packages/${path}.test.ts`)?.includes(title) ?? false);
}
