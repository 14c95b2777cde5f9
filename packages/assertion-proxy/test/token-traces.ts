/** Encodings in which a client might say its token; all of them are read back by {@link showsToken}. */
export const ENCODINGS: readonly (readonly [name: string, encode: (token: string) => string])[] = [
  ["as it is", (token) => token],
  ["behind a scheme", (token) => `bEARER ${token}`],
  ["inside another text", (token) => `a="${token}"; b`],
  ["in upper case", (token) => token.toUpperCase()],
  ["percent-encoded", percent],
  ["percent-encoded in part", (token) => percent(token.slice(0, 5)) + token.slice(5)],
  ["percent-encoded twice", (token) => percent(percent(token))],
  ["in Basic credentials", (token) => `Basic ${base64(`:${token}`)}`],
  ["in Basic credentials of a user", (token) => `basic ${base64(`me:${token}`)}`],
  ["in Basic credentials as the user", (token) => `BASIC ${base64(`${token}:`)}`],
  ["in base64url", (token) => Buffer.from(`${token}\u00ff`).toString("base64url")],
  ["in percent-encoded base64", (token) => percent(base64(token))],
];

export function percent(text: string): string {
  return [...text].map((it) => `%${it.charCodeAt(0).toString(16).padStart(2, "0")}`).join("");
}

export function base64(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

/** Whether bytes show a token once they are decoded, percent signs and base64 in any order, three times over. */
export function showsToken(bytes: string, token: string): boolean {
  let texts = [bytes];
  for (let depth = 0; depth <= 3; depth += 1) {
    const folded = texts.map((it) => it.toLowerCase().replaceAll("_", "-"));
    if (folded.some((it) => it.includes(token.toLowerCase().replaceAll("_", "-")))) return true;
    texts = texts.flatMap((it) => [withoutPercent(it), ...decodedParts(it)]);
  }
  return false;
}

function withoutPercent(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number(`0x${hex}`)));
}

function decodedParts(text: string): string[] {
  const parts = text.match(/[A-Za-z0-9+/_-]{16,}/g) ?? [];
  return parts.flatMap((part) =>
    [0, 1, 2, 3].map((from) => Buffer.from(part.slice(from), "base64").toString("latin1")),
  );
}
