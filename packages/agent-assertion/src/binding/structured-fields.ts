import {
  type InnerList,
  type Item,
  isInnerList,
  parseDictionary,
  serializeInnerList,
  serializeItem,
} from "structured-headers";

/** A bare item with its parameters: a text is a String, a number an Integer or Decimal, an `ArrayBuffer` a Byte Sequence. */
export interface FieldItem {
  readonly value: unknown;
  readonly parameters: ReadonlyMap<string, unknown>;
}

/** One member of a Dictionary. */
export interface FieldMember extends FieldItem {
  /** The items of an Inner List; absent for a single Item. */
  readonly list: readonly FieldItem[] | undefined;
  /** What stands after `=`, as it was written; empty without one. */
  readonly text: string;
  /** Whether `text` is the one canonical form: nothing in it is repeated. */
  readonly isCanonical: boolean;
}

/**
 * The values of a field's lines, trimmed and joined as one (RFC 9421 §2.1); `undefined`: the message has no such field.
 *
 * @param rawHeaders - name, value, name, value, … as received
 * @param name - in lower case
 */
export function fieldValue(rawHeaders: readonly string[], name: string): string | undefined {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) values.push(trimmed(rawHeaders[i + 1] ?? ""));
  }
  return values.length === 0 ? undefined : values.join(", ");
}

/**
 * Parses a Dictionary (RFC 8941 §3.2). Unlike the RFC it refuses a name that comes twice: a signature must not leave open which of two members
 * counts.
 *
 * @throws {Error} if the text is not a valid Dictionary, or a name comes twice
 */
export function parseMembers(text: string): ReadonlyMap<string, FieldMember> {
  const members = new Map<string, FieldMember>();
  for (const piece of splitMembers(text)) {
    const [entry] = parseDictionary(piece);
    if (entry === undefined) throw new Error("an empty member");
    const [name, value] = entry;
    if (members.has(name)) throw new Error("a member comes twice");
    members.set(name, toMember(value, piece.slice(name.length + 1)));
  }
  return members;
}

// The library's own types stay in this file: its declarations need a type that Node's do not have.
function toMember(member: Item | InnerList, text: string): FieldMember {
  if (isInnerList(member)) {
    const list = member[0].map(toItem);
    const isCanonical = serializeInnerList(member) === text;
    return { value: undefined, parameters: member[1], list, text, isCanonical };
  }
  return { ...toItem(member), list: undefined, text, isCanonical: serializeItem(member) === text };
}

function toItem([value, parameters]: Item): FieldItem {
  return { value, parameters };
}

// At the commas outside of Strings. In RFC 8941 a quote begins and ends a String and nothing else; the Display String of RFC 9651, in
// which a backslash escapes nothing, would split elsewhere and is refused.
function splitMembers(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') {
      if (text[i - 1] === "%") throw new Error("a Display String");
      inString = true;
    } else if (char === ",") {
      pieces.push(trimmed(text.slice(start, i)));
      start = i + 1;
    }
  }
  pieces.push(trimmed(text.slice(start)));
  return pieces;
}

// Removes spaces and tabs only: a field has no other white space (RFC 9110 §5.6.3). Takes linear time; a regular expression that matches at the
// end would not.
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t";
}
