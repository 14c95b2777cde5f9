/** The value of one member that `JSON.parse` read. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a text that is one JSON object (RFC 8259) in which no object, at any depth, has two members of one name, compared after
 * unescaping. `JSON.parse` alone lets the last of them win, other readers take the first, and the two would see different assertions.
 *
 * Linear in the text's length and without recursion, so that the caller's limit on the length is all the limit it needs.
 *
 * @returns the object, or `undefined` when the text is anything else. A member `__proto__` is an own member like any other: read
 * members with `Object.hasOwn`.
 */
export function parseJsonObject(text: string): JsonObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: the caller says so in its own words.
    return undefined;
  }
  return isJsonObject(value) && hasUniqueNames(text) ? value : undefined;
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

// Walks a text that is known to be JSON: every string that a colon follows is a name of the innermost open object.
function hasUniqueNames(json: string): boolean {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === OPEN) {
      open.push(new Set());
    } else if (char === CLOSE) {
      open.pop();
    } else if (char === QUOTE) {
      const end = endOfString(json, at);
      if (isFollowedByColon(json, end)) {
        const names = open.at(-1);
        const name = unescapeString(json.slice(at, end));
        if (names?.has(name)) return false;
        names?.add(name);
      }
      at = end - 1;
    }
  }
  return true;
}

// The index after the closing quote of the string that begins at `start`.
function endOfString(json: string, start: number): number {
  let at = start + 1;
  for (let char = json.charCodeAt(at); char !== QUOTE; char = json.charCodeAt(at)) {
    at += char === BACKSLASH ? 2 : 1;
  }
  return at + 1;
}

function isFollowedByColon(json: string, start: number): boolean {
  let at = start;
  while (json.charCodeAt(at) <= 0x20) at += 1;
  return json[at] === ":";
}

function unescapeString(quoted: string): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}
