import { randomBytes, timingSafeEqual } from "node:crypto";

// A secret may itself look percent-encoded. What is left of it when all is decoded must be long enough not to be found by chance.
const SHORTEST_DECODED = 8;
// A text that is percent-encoded more often than this is not decoded to its end, so it is taken to contain the secret.
const MOST_LAYERS = 8;
// Some servers read `%u00XX` too.
const PERCENT_ENCODED = /%(?:u00)?([0-9a-f]{2})/gi;

/**
 * Makes the search for a secret in what a client sent: as it is, percent-encoded in whole or in part and any number of times, and in
 * base64 or base64url of a text around it, such as `Basic` credentials. Upper and lower case are one, and so are `_` and `-`, since a
 * name may be folded in this way.
 *
 * Its time depends on the text and on the secret's length, not on how much of the secret a text holds, so that the time discloses nothing
 * about the secret.
 *
 * @param secret - at least 16 visible ASCII characters
 * @returns a function that returns whether a text contains the secret; it takes one character for each byte
 */
export function createSecretSearch(secret: string): (text: string) => boolean {
  const forms = [secret, ...decodedForms(secret)].map(fold);
  const shortest = Math.min(...forms.map(({ length }) => length));
  const finders = forms.map(createFinder);
  const encodedRun = new RegExp(`[\\w+/-]{${Math.ceil((secret.length * 4) / 3)},}`, "g");

  function contains(text: string, mayBeBase64: boolean): boolean {
    // Decoding never makes a text longer.
    if (text.length < shortest) return false;
    let layer = text;
    for (let layers = 0; layers <= MOST_LAYERS; layers += 1) {
      const folded = fold(layer);
      if (finders.some((isWithin) => isWithin(folded))) return true;
      if (mayBeBase64 && decodedRuns(layer, encodedRun).some((it) => contains(it, false))) {
        return true;
      }
      const decoded = decodePercent(layer);
      if (decoded === layer) return false;
      layer = decoded;
    }
    return true;
  }

  return (text) => contains(text, true);
}

// As far as a proxy changes the names of fields that it reads.
function fold(text: string): string {
  return text.toLowerCase().replaceAll("_", "-");
}

function decodedForms(secret: string): string[] {
  const decoded = decodePercent(secret);
  if (decoded === secret || decoded.length < SHORTEST_DECODED) return [];
  return [decoded, ...decodedForms(decoded)];
}

function decodePercent(text: string): string {
  return text.replace(PERCENT_ENCODED, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

// A run may begin with characters that are not base64's, such as a prefix of a name: each of the four alignments is read.
function decodedRuns(text: string, encodedRun: RegExp): string[] {
  return [...text.matchAll(encodedRun)].flatMap(([run]) =>
    [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64").toString("latin1")),
  );
}

/** Finds a needle by a rolling hash (Rabin and Karp): each character costs the same, whether or not it fits. */
function createFinder(needle: string): (text: string) => boolean {
  const { length } = needle;
  // Random, so that no text can be made to share the needle's hash; odd, so that no character is lost.
  const base = randomBytes(4).readUInt32LE() | 1;
  const expected = Buffer.from(needle, "latin1");
  let weight = 1;
  let needleHash = 0;
  for (let index = 0; index < length; index += 1) {
    weight = Math.imul(weight, base);
    needleHash = (Math.imul(needleHash, base) + needle.charCodeAt(index)) | 0;
  }
  return (text) => {
    let hash = 0;
    for (let index = 0; index < text.length; index += 1) {
      hash = (Math.imul(hash, base) + text.charCodeAt(index)) | 0;
      const start = index + 1 - length;
      if (start > 0) hash = (hash - Math.imul(weight, text.charCodeAt(start - 1))) | 0;
      if (start < 0 || hash !== needleHash) continue;
      if (timingSafeEqual(Buffer.from(text.slice(start, index + 1), "latin1"), expected)) {
        return true;
      }
    }
    return false;
  };
}
