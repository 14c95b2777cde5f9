/** A text without percent-encoding, and where each of its characters stands in the original. */
export interface PercentDecoded {
  readonly text: string;
  /** @param index - of a character of `text`, or its length */
  readonly originalIndex: (index: number) => number;
}

// Once or more often encoded: each further time adds "25", the code of "%". Some servers read `%u00XX` too.
const ENCODED = /%(?:25)*(?:u00)?([2-7][\da-f])/gi;
// A further time may also have encoded the digits of a code, which only another pass brings out. Nothing decodes a path as often.
const MAX_PASSES = 8;

/**
 * Decodes what is percent-encoded, up to eight times over. Only visible ASCII is decoded, without `"` and `\`: a JSON line has the same quotes
 * afterwards.
 */
export function percentDecoded(original: string): PercentDecoded {
  let text = original;
  let starts: Starts;
  for (let passes = 0; passes < MAX_PASSES && text.includes("%"); passes += 1) {
    const decoded = decodePass(text, starts);
    if (decoded === undefined) break;
    ({ text, starts } = decoded);
  }
  return { text, originalIndex: (index) => indexOf(starts, index) ?? original.length };
}

// Where the characters of a text stand in the original; absent where the text is the original.
type Starts = readonly number[] | undefined;

function indexOf(starts: Starts, index: number): number | undefined {
  return starts === undefined ? index : starts[index];
}

function decodePass(text: string, before: Starts): { text: string; starts: number[] } | undefined {
  const parts: string[] = [];
  const starts: number[] = [];
  let from = 0;
  const keep = (until: number): void => {
    for (let at = from; at < until; at += 1) starts.push(indexOf(before, at) ?? at);
    parts.push(text.slice(from, until));
  };
  for (const { 0: encoded, 1: code = "", index } of text.matchAll(ENCODED)) {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    if (character === '"' || character === "\\" || character === "\u007f") continue;
    keep(index);
    parts.push(character);
    starts.push(indexOf(before, index) ?? index);
    from = index + encoded.length;
  }
  if (from === 0) return undefined;
  keep(text.length);
  return { text: parts.join(""), starts };
}
