// RFC 9110 §5.6.2 and §5.6.4, §11.2.
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const PARAMETER = new RegExp(
  `(${TOKEN})[ \\t]*=[ \\t]*(?:(${TOKEN})|(${QUOTED}))[ \\t]*(?=,|$)`,
  "y",
);
const SCHEME = new RegExp(
  `(${TOKEN})(?:[ \\t]+(?:[A-Za-z0-9._~+/-]+=*(?=[ \\t]*(?:,|$)))?|(?=,|$))`,
  "y",
);
const SEPARATOR = /[ \t,]*/y;

/**
 * Gives a parameter of the first challenge of this scheme that has it. What follows a part that has not the form of a challenge is not read.
 *
 * @param field - the value of `WWW-Authenticate`, several lines joined with commas
 * @param scheme - in lower case
 * @param parameter - in lower case
 * @see RFC 9110 §11.6.1
 */
export function readChallenge(
  field: string,
  scheme: string,
  parameter: string,
): string | undefined {
  let current = "";
  let at = skip(SEPARATOR, field, 0);
  while (at < field.length) {
    const pair = match(PARAMETER, field, at);
    if (pair !== null) {
      const [, name = "", token, quoted] = pair;
      if (current === scheme && name.toLowerCase() === parameter) return token ?? unquote(quoted);
    }
    const next = pair ?? match(SCHEME, field, at);
    if (next === null) return undefined;
    if (pair === null) current = (next[1] ?? "").toLowerCase();
    at = skip(SEPARATOR, field, at + next[0].length);
  }
  return undefined;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function skip(pattern: RegExp, text: string, at: number): number {
  return at + (match(pattern, text, at)?.[0].length ?? 0);
}

function unquote(quoted = ""): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, "$1");
}
