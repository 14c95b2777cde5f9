import { comparableName } from "./field-names.js";

/** Field lines as they came: name, value, name, value. One character for each byte. */
export type RawFields = readonly string[];

/** One field line. */
export interface FieldLine {
  /** Comparable. */
  readonly name: string;
  readonly rawName: string;
  readonly value: string;
}

/** Yields each line of raw fields with its comparable name. */
export function* fieldLines(fields: RawFields): Generator<FieldLine> {
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const rawName = fields[index] ?? "";
    yield { name: comparableName(rawName), rawName, value: fields[index + 1] ?? "" };
  }
}

/** Returns the value of every line of one name, in the order they came. @param name - comparable */
export function fieldValues(fields: RawFields, name: string): string[] {
  const values: string[] = [];
  for (const line of fieldLines(fields)) if (line.name === name) values.push(line.value);
  return values;
}

/** Returns the comparable names that a message's `Connection` lines name. @see RFC 9110 §7.6.1 */
export function connectionOptions(fields: RawFields): ReadonlySet<string> {
  return listedNames(fields, "connection");
}

/**
 * Tells whether a name only compares equal to one that says where a message ends (`Content_Length`). A parser frames by the real names
 * alone, so that the two sides of a proxy would disagree.
 */
export function hasDisguisedFraming(fields: RawFields): boolean {
  return fields.some(
    (name, index) => index % 2 === 0 && /^(?:content_length|transfer_encoding)$/i.test(name),
  );
}

/** Returns the comparable names that a message's `Trailer` lines announce. @see RFC 9110 §6.6.2 */
export function announcedTrailers(fields: RawFields): ReadonlySet<string> {
  return listedNames(fields, "trailer");
}

/** Copies the lines that are kept, untouched and in order. */
export function keepFields(fields: RawFields, keep: (line: FieldLine) => boolean): string[] {
  const kept: string[] = [];
  for (const line of fieldLines(fields)) {
    if (keep(line)) kept.push(line.rawName, line.value);
  }
  return kept;
}

function listedNames(fields: RawFields, list: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const value of fieldValues(fields, list)) {
    for (const item of value.split(",")) {
      const name = comparableName(item.trim());
      if (name !== "") names.add(name);
    }
  }
  return names;
}
