import { comparableName } from "./field-names.js";

/** Field lines as they came: name, value, name, value. One character for each byte. */
export type RawFields = readonly string[];

const FRAMING_FIELDS: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

/** One field line. */
export interface FieldLine {
  /** Comparable. */
  readonly name: string;
  readonly rawName: string;
  readonly value: string;
}

/** What was read from one section. It is read once. */
interface Section {
  readonly lines: readonly FieldLine[];
  connectionOptions?: ReadonlySet<string>;
}

// Some twenty checks ask for the fields of one head, and a parsed head never changes.
const sections = new WeakMap<RawFields, Section>();

function sectionOf(fields: RawFields): Section {
  let section = sections.get(fields);
  if (section === undefined) {
    section = { lines: readLines(fields) };
    sections.set(fields, section);
  }
  return section;
}

/** Returns each line of raw fields with its comparable name. @param fields - not to be changed afterwards */
export function fieldLines(fields: RawFields): readonly FieldLine[] {
  return sectionOf(fields).lines;
}

function readLines(fields: RawFields): FieldLine[] {
  const lines: FieldLine[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const rawName = fields[index] ?? "";
    lines.push({ name: comparableName(rawName), rawName, value: fields[index + 1] ?? "" });
  }
  return lines;
}

/** Returns the value of every line of one name, in the order they came. @param name - comparable */
export function fieldValues(fields: RawFields, name: string): string[] {
  const values: string[] = [];
  for (const line of fieldLines(fields)) if (line.name === name) values.push(line.value);
  return values;
}

/** Returns the comparable names that a message's `Connection` lines name. @see RFC 9110 §7.6.1 */
export function connectionOptions(fields: RawFields): ReadonlySet<string> {
  const section = sectionOf(fields);
  section.connectionOptions ??= new Set(listed(fields, "connection").map(comparableName));
  return section.connectionOptions;
}

/**
 * Returns whether a name compares equal to a framing field without being one (`Content_Length`). A parser frames only by the real names, so
 * the two sides of a proxy could disagree about where the message ends.
 */
export function hasDisguisedFraming(fields: RawFields): boolean {
  for (const { name, rawName } of fieldLines(fields)) {
    if (FRAMING_FIELDS.has(name) && rawName.toLowerCase() !== name) return true;
  }
  return false;
}

/** Returns the names that a message's `Trailer` lines announce, in lower case. @see RFC 9110 §6.6.2 */
export function announcedTrailers(fields: RawFields): readonly string[] {
  const names = listed(fields, "trailer");
  return names.length === 0 ? names : [...new Set(names.map((name) => name.toLowerCase()))];
}

/** Copies the lines that are kept, untouched and in order. */
export function keepFields(fields: RawFields, keep: (line: FieldLine) => boolean): string[] {
  const kept: string[] = [];
  for (const line of fieldLines(fields)) {
    if (keep(line)) kept.push(line.rawName, line.value);
  }
  return kept;
}

/** Makes a section of the lines that are kept, which is read like the one it comes from. @returns `fields` itself if all are kept */
export function sectionOfLines(fields: string[], keep: (line: FieldLine) => boolean): string[] {
  const all = fieldLines(fields);
  const lines = all.filter(keep);
  if (lines.length === all.length) return fields;
  const kept = lines.flatMap(({ rawName, value }) => [rawName, value]);
  sections.set(kept, { lines });
  return kept;
}

/** Returns the items of the comma-separated lists in all lines of one name, in order. @param name - comparable */
export function listed(fields: RawFields, name: string): string[] {
  const values = fieldValues(fields, name);
  if (values.length === 0) return values;
  return values
    .flatMap((value) => value.split(","))
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
