// Dot segments as some server ends them: by a path parameter, by a query or fragment that was encoded, or by blanks and dots that it trims.
const DOT_SEGMENT = /^ *\.\.?(?: [ .]*)?(?:[;?#]|$)/;
const SEGMENT_END = /[/\\]/;
const CONTROL = /[^ -~\x80-\xff]/;
// RFC 3629 §3 forbids each of these; a lenient decoder reads the ASCII character in their last seven bits.
const OVERLONG =
  /(?:[\xc0\xc1]|\xe0[\x80\x81]|\xf0\x80[\x80\x81]|\xf8\x80\x80[\x80\x81]|\xfc\x80{3}[\x80\x81])[\x80-\xbf]/;
const ESCAPE = /%(?:u00)?([0-9a-f]{2})/gi;
const HIDING_ESCAPE = /%(?:u00)?(?:[01][0-9a-f]|7f|2e|2f|5c)/i;
// Nothing decodes a path as often. Without a bound, a long path could ask for a decoding for every few of its characters.
const MAX_DECODINGS = 8;

/**
 * Finds what makes a path mean another path to a server that decodes it, once or several times.
 *
 * Found are, in the path as received and after each decoding of its escapes (`%XX`, and `%u00XX`, which some servers read too): `.` and
 * `..` segments, between slashes of either kind, also with blanks around them or ended by `;`, `?` or `#`; control characters; overlong
 * UTF-8; and an escape of `.`, `/`, `\` or a control character that only a decoding brings out (`%252e`).
 *
 * @param path - visible ASCII characters, without the query
 * @returns what it is, for an error text; `undefined` for a path that is the same to every server
 * @see RFC 3986 §2.4 and §3.3; RFC 3629 §10
 */
export function findHiddenPath(path: string): string | undefined {
  let text = path;
  for (let decodings = 0; ; decodings += 1) {
    if (text.split(SEGMENT_END).some((segment) => DOT_SEGMENT.test(segment))) {
      return "a dot segment";
    }
    if (CONTROL.test(text)) return "an encoded control character";
    if (OVERLONG.test(text)) return "overlong UTF-8";
    if (decodings > 0 && HIDING_ESCAPE.test(text)) return "a character that is encoded twice";
    const decoded = text.replaceAll(ESCAPE, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (decoded === text) return undefined;
    if (decodings === MAX_DECODINGS) return "a character that is encoded too often";
    text = decoded;
  }
}
