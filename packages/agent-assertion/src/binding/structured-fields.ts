/** A bare item with its parameters: a String is a string, an Integer or Decimal a number, a Byte Sequence its bytes, and anything else `null`. */
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
}

// RFC 8941 §3, rule by rule; Dates are of RFC 9651 §3.3.7. Each alternative begins with another character, so that matching takes linear time.
const KEY = "[a-z*][-a-z0-9_.*]*";
const STRING = String.raw`"(?:[ !#-[\]-~]|\\["\\])*"`;
const NUMBER = String.raw`-?(?:\d{1,12}\.\d{1,3}|\d{1,15})`;
const TOKEN = "[A-Za-z*][-\\w!#$%&'*+.^`|~:/]*";
// What `atob` takes: with its padding, or without.
const BYTES = ":(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?:";
const BARE = String.raw`(?:${STRING}|${NUMBER}|${TOKEN}|${BYTES}|\?[01]|@-?\d{1,15})`;
const PARAMETERS = `(?:; *${KEY}(?:=${BARE})?)*`;
const LIST = String.raw`\( *(?:${BARE}${PARAMETERS}(?: +${BARE}${PARAMETERS})* *)?\)`;

const MEMBER = /* @__PURE__ */ new RegExp(`^(${KEY})(?:=(?:(${LIST})|(${BARE})))?(${PARAMETERS})$`);
const ITEM = /* @__PURE__ */ new RegExp(`(${BARE})(${PARAMETERS})`, "g");
const PARAMETER = /* @__PURE__ */ new RegExp(`; *(${KEY})(?:=(${BARE}))?`, "g");

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
    const [found, name = "", list, bare, parameters = ""] = MEMBER.exec(piece) ?? [];
    if (found === undefined) throw new Error("not a member of a Dictionary");
    if (members.has(name)) throw new Error("a member comes twice");
    members.set(name, {
      ...toItem(bare, parameters),
      list: list === undefined ? undefined : itemsOf(list),
      text: piece.slice(name.length + 1),
    });
  }
  return members;
}

// The list has its form already, so that what stands between two matches is spaces.
function itemsOf(list: string): FieldItem[] {
  return [...list.matchAll(ITEM)].map(([, bare, parameters = ""]) => toItem(bare, parameters));
}

function toItem(bare: string | undefined, parameters: string): FieldItem {
  const pairs = [...parameters.matchAll(PARAMETER)];
  return {
    value: readBare(bare),
    parameters: new Map(pairs.map(([, name = "", value]) => [name, readBare(value)])),
  };
}

function readBare(bare: string | undefined): string | number | Uint8Array | null {
  if (bare === undefined) return null;
  if (bare.startsWith('"')) return bare.slice(1, -1).replace(/\\(.)/g, "$1");
  if (bare.startsWith(":")) return Uint8Array.from(Buffer.from(bare.slice(1, -1), "base64"));
  return /^[-\d]/.test(bare) ? Number(bare) : null;
}

// At the commas outside of Strings. In RFC 8941 a quote begins and ends a String and nothing else; the Display String of RFC 9651, in
// which a backslash escapes nothing, would split elsewhere, and is no member.
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
