import { percentDecoded } from "./percent-decoded.js";

const HIDDEN = "[hidden]";

// Begins a word: no letter or digit stands before it, unless that belongs to an escape of JSON.
const START = String.raw`(?<!(?<!\\(?:u[\da-fA-F]{0,3})?)[A-Za-z\d])`;

const SCHEME = "(?:bearer|basic|agentassertion)";

// Each names what it hides `secret`. What repeats has a bound or ends at the next character, so that time grows with the length alone.
const CREDENTIALS: readonly RegExp[] = [
  // Values after a scheme of HTTP. One ends before another scheme, of which a path may have several.
  pattern(
    String.raw`${SCHEME}(?:\s|\+|\\[nrt]){1,8}(?<secret>(?:(?!${SCHEME}[\s+])[\w.~+/=-]){8,})`,
    "i",
  ),
  // Assertions and JWTs.
  pattern(String.raw`(?<secret>eyJ[\w-]{8,}=*(?:\.[\w-]*){0,4})`),
  // Tokens of this project.
  pattern(String.raw`(?<secret>cs_[a-z]+_[\w-]{8,})`, "i"),
  // Keys and tokens of other services.
  pattern(
    String.raw`(?<secret>(?:sk-|AIza|xai-|gsk_|hf_|gh[pousr]_|github_pat_|glpat-|xox[a-z]-)[\w-]{16,})`,
  ),
  // Private keys: PKCS#8 in base64, and PEM, of which the end may be missing: a string of JSON ends it.
  pattern(String.raw`(?<secret>M[CF][4E]CAQ[\w+/=-]{16,})`),
  pattern(String.raw`(?<secret>-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----(?:[^"\\]|\\.)*)`),
  // Base64 of what begins with a token's prefix, a JWT, a key or a scheme.
  pattern(
    String.raw`(?<secret>(?:Y3Nf|ZXlK|c2st|TUM0Q0FR|LS0tLS1CRUdJTi|[QY]mVhcmVy|[QY]WdlbnRBc3NlcnRpb2)[\w+/=-]{16,})`,
  ),
  // The password in a URL.
  pattern(String.raw`[a-z][a-z\d+.-]{0,30}://[^\s/:@"?#]{0,256}:(?<secret>[^\s"]{0,512})@`, "i"),
  // Members and parameters that hold a credential by their name, of any form.
  /"(?:(?:proxy-)?authorization|x-openai-authorization|(?:[a-z-]{1,64}-)?api-key|(?:set-)?cookie|(?:[a-z_-]*_)?(?:password|secret|token|private_key))":"(?<secret>(?:[^"\\]|\\.)*)"/dgiu,
  /[?&;](?:access_token|refresh_token|id_token|token|password|secret|client_secret|api_key|code|biscuit)=(?<secret>(?:[^&\s"#;\\]|\\.)+)/dgiu,
];

function pattern(text: string, flag: "i" | "" = ""): RegExp {
  return new RegExp(START + text, `dgu${flag}`);
}

/**
 * Replaces each part of a text that looks like a credential by `[hidden]`: values after a scheme of HTTP, assertions and JWTs, tokens of
 * this project and of others, private keys, passwords in URLs, and what is a credential by its name; also where it is percent-encoded or
 * base64. For every text of a client that is written anywhere: code that holds a secret logs none, and this hides what a client puts in
 * the wrong place. UUIDs, ULIDs and ids of this project stay.
 *
 * A line of JSON stays one.
 */
export function hideCredentials(text: string): string {
  const decoded = percentDecoded(text);
  // Searched first because `matchAll` makes a new expression for each call, and nearly all texts have nothing to hide.
  const found = CREDENTIALS.filter((pattern) => decoded.text.search(pattern) >= 0)
    .flatMap((pattern) =>
      [...decoded.text.matchAll(pattern)].flatMap(({ indices }) => {
        const range = indices?.groups?.secret;
        return range === undefined ? [] : [range];
      }),
    )
    .sort(([a], [b]) => a - b);
  let shown = "";
  let end = 0;
  for (const [from, to] of found) {
    // Found within what is hidden already.
    if (to <= end) continue;
    if (from >= end)
      shown += text.slice(decoded.originalIndex(end), decoded.originalIndex(from)) + HIDDEN;
    end = to;
  }
  return shown + text.slice(decoded.originalIndex(end));
}
