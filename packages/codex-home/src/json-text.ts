/** One member of a JSON object, as it is written. */
export interface JsonMember {
  readonly name: string;
  /** JSON text of the value, without white space between its tokens. */
  readonly value: string;
}

const PUNCTUATION = new Set(["{", "}", "[", "]", ":", ","]);
const WHITE_SPACE = new Set([" ", "\n", "\r", "\t"]);
const OPENING = new Set(["{", "["]);
const CLOSING = new Set(["}", "]"]);

/**
 * The members of a JSON object in their order, each value token by token as it is written: numbers keep their digits, which a parse into
 * numbers would not.
 *
 * @param text - a JSON object that `JSON.parse` accepts; nothing is checked here
 */
export function splitJsonMembers(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  let depth = 0;
  let name: string | undefined;
  let value = "";
  for (const token of readTokens(text)) {
    const isEnd = depth === 1 && (token === "," || token === "}");
    if (isEnd) {
      if (name !== undefined) members.push({ name, value });
      name = undefined;
      value = "";
    } else if (depth === 1 && name === undefined) {
      name = JSON.parse(token);
    } else if (depth > 1 || (depth === 1 && (token !== ":" || value !== ""))) {
      value += token;
    }
    if (OPENING.has(token)) depth += 1;
    if (CLOSING.has(token)) depth -= 1;
  }
  return members;
}

/** Puts members together to the JSON text of an object. */
export function joinJsonMembers(members: readonly JsonMember[]): string {
  return `{${members.map(({ name, value }) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}

/** Lays a JSON text out as `JSON.stringify` does with two spaces, each token as it is written. */
export function formatJson(text: string): string {
  let formatted = "";
  let depth = 0;
  let previous = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const token of readTokens(text)) {
    if (CLOSING.has(token)) {
      depth -= 1;
      formatted += OPENING.has(previous) ? token : line() + token;
    } else {
      if (OPENING.has(previous) || previous === ",") formatted += line();
      formatted += token === ":" ? ": " : token;
      if (OPENING.has(token)) depth += 1;
    }
    previous = token;
  }
  return formatted;
}

// By hand: a regular expression overflows its stack on long texts with many escapes.
function* readTokens(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const start = at;
    const first = text.charAt(at);
    at += 1;
    if (WHITE_SPACE.has(first)) continue;
    if (first === '"') {
      while (text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
      at += 1;
    } else if (!PUNCTUATION.has(first)) {
      while (at < text.length && !isDelimiter(text.charAt(at))) at += 1;
    }
    yield text.slice(start, at);
  }
}

function isDelimiter(character: string): boolean {
  return PUNCTUATION.has(character) || WHITE_SPACE.has(character);
}
