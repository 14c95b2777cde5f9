/** A text without percent-encoding, and where each of its characters stands in the original. */
export interface PercentDecoded {
  readonly text: string;
  /** @param index - of a character of `text`, or its length */
  readonly originalIndex: (index: number) => number;
}

// Once or more often encoded: each further time adds "25", the code of "%".
const ENCODED = /%(?:25)*([2-7][\da-f])/gi;

/**
 * Decodes what is percent-encoded, however often, in one pass. Only visible ASCII is decoded, without `"` and `\`: a JSON line has the same
 * quotes afterwards.
 */
export function percentDecoded(original: string): PercentDecoded {
  if (!original.includes("%")) return { text: original, originalIndex: (index) => index };
  const parts: string[] = [];
  const starts: number[] = [];
  let from = 0;
  const keep = (until: number): void => {
    for (let at = from; at < until; at += 1) starts.push(at);
    parts.push(original.slice(from, until));
  };
  for (const { 0: encoded, 1: code = "", index } of original.matchAll(ENCODED)) {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    if (character === '"' || character === "\\" || character === "\u007f") continue;
    keep(index);
    parts.push(character);
    starts.push(index);
    from = index + encoded.length;
  }
  keep(original.length);
  return {
    text: parts.join(""),
    originalIndex: (index) => starts[index] ?? original.length,
  };
}
