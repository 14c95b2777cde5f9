import type { Dispatcher } from "undici";

type Fields = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/** Header fields as undici 6 hands them on: names and values in turn, in the case and order in which they came. */
export type WireFields = readonly (Buffer | string | readonly (Buffer | string)[])[];

/** The fields as a record: names in lower case, several lines of one name as a list. */
export function fieldRecord(fields: WireFields | null | undefined): Fields {
  const record = new Map<string, string | string[]>();
  const lines = fields ?? [];
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = text(lines[i] as Buffer | string).toLowerCase();
    const values = [lines[i + 1] as Buffer | string | readonly (Buffer | string)[]].flat();
    const all = [record.get(name) ?? [], values.map(text)].flat();
    record.set(name, all.length === 1 ? (all[0] as string) : all);
  }
  return Object.fromEntries(record);
}

/** The fields as they came, if that is known; otherwise made from the record. */
export function fieldsOnWire(raw: unknown, fields: Fields | null | undefined): WireFields {
  if (Array.isArray(raw)) return raw;
  return Object.entries(fields ?? {}).flatMap(([name, value]) =>
    // A pseudo-header of HTTP/2, such as ":status", is not a field.
    name.startsWith(":") ? [] : [value ?? []].flat().flatMap((one) => [bytes(name), bytes(one)]),
  );
}

// As undici decodes them.
function text(value: Buffer | string): string {
  return typeof value === "string" ? value : Buffer.from(value).toString("latin1");
}

function bytes(value: string): Buffer {
  return Buffer.from(value, "latin1");
}
