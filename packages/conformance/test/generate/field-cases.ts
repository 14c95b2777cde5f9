import { BODY, makeRequest, type ReceivedRequest, withField, without } from "./bound-request.js";
import { digestOf, signComponents } from "./message-signature.js";
import { oneRequest, type RequestCase } from "./request-case.js";
import { KEY_B } from "./vector-keys.js";

const good = makeRequest().request;
const BOTH = `${digestOf(BODY)}, ${digestOf(BODY, "sha-512")}`;
const second = signComponents({
  key: KEY_B,
  names: ["@method"],
  values: { "@method": "POST" },
  parameters: ';created=1;keyid="x";tag="agent-assertion"',
  label: "second",
});

function signedWith(change: (parameters: string) => string): ReceivedRequest {
  return makeRequest({ parameters: change }).request;
}

/** The same bytes in base64 with a bit set that means nothing. */
function strayBits(value: string): string {
  return value.replace(/(.)==:$/, (_, last: string) => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return `${alphabet[alphabet.indexOf(last) + 1]}==:`;
  });
}

/** The request with these lines in place of all others of their name. */
function withLines(
  request: ReceivedRequest,
  name: string,
  ...values: readonly string[]
): ReceivedRequest {
  const lines = values.map((value) => [name, value] as const);
  return { ...request, fields: [...without(request, name).fields, ...lines] };
}

function fieldOf(request: ReceivedRequest, name: string): string {
  return request.fields.find(([field]) => field === name)?.[1] ?? "";
}

const unpadded = withField(good, "Signature", (value) => value.replace(/=+:$/, ":"));
const item = (request: ReceivedRequest, member: string) =>
  withField(request, "Signature-Input", (value) => `${member}, ${value}`);
const MISMATCH = "binding_mismatch";
// All characters that a nonce may have, as a String has them.
const EVERY = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join("");
const escaped = (nonce: string) => nonce.replace(/["\\]/g, "\\$&");

/** How the fields of a binding may be written, and how not. */
export const FIELD_CASES: readonly RequestCase[] = [
  oneRequest(
    "a method in lower case, as it was sent",
    makeRequest({ method: "patch" }).request,
    "accepted",
  ),
  oneRequest(
    "a covered field with blanks around it",
    withField(good, "Content-Digest", (value) => ` \t${value}\t `),
    "accepted",
  ),
  oneRequest(
    "no body, and a Content-Digest that is not covered",
    withField(makeRequest({ method: "GET", body: null }).request, "Content-Digest", digestOf("x")),
    "accepted",
  ),
  oneRequest(
    "a nonce of every character",
    makeRequest({ nonce: escaped(EVERY) }).request,
    "accepted",
  ),
  oneRequest(
    "a nonce of 256 characters, of which each is escaped",
    makeRequest({ nonce: escaped('"'.repeat(256)) }).request,
    "accepted",
  ),
  oneRequest(
    "a nonce of 21 characters, of which one is escaped",
    makeRequest({ nonce: escaped(`"${"n".repeat(20)}`) }).request,
    MISMATCH,
  ),
  oneRequest(
    "alg as a token",
    signedWith((text) => `${text};alg=ed25519`),
    MISMATCH,
  ),
  oneRequest(
    "alg in upper case",
    signedWith((text) => `${text};alg="Ed25519"`),
    MISMATCH,
  ),
  oneRequest(
    "keyid as a token",
    signedWith((text) => text.replace('"agent-1"', "agent-1")),
    MISMATCH,
  ),
  oneRequest(
    "created with a fraction",
    signedWith((text) => text.replace(/created=(\d+)/, "created=$1.0")),
    MISMATCH,
  ),
  oneRequest("a Signature without padding", unpadded, MISMATCH),
  oneRequest(
    "a Signature with stray bits",
    withField(good, "Signature", (value) => strayBits(value)),
    MISMATCH,
  ),
  oneRequest(
    "a Signature that cannot be read",
    withField(good, "Signature", (value) => `${value},`),
    MISMATCH,
  ),
  oneRequest(
    "a Signature that cannot be read behind the label",
    withField(good, "Signature", (value) => `${value}, other=(`),
    MISMATCH,
  ),
  oneRequest(
    "a Signature with the label twice",
    withField(good, "Signature", (value) => `${value}, ${value}`),
    MISMATCH,
  ),
  oneRequest("an empty Signature-Input", withField(good, "Signature-Input", ""), MISMATCH),
  oneRequest("accept: an empty Signature-Input", withField(good, "Signature-Input", ""), MISMATCH, {
    binding: "accept",
  }),
  oneRequest(
    "a comma behind Signature-Input",
    withField(good, "Signature-Input", (value) => `${value},`),
    MISMATCH,
  ),
  oneRequest(
    "the tag at an item beside the list",
    item(good, 'x="y";tag="agent-assertion"'),
    MISMATCH,
  ),
  oneRequest("the tag at a name alone", item(good, 'x;tag="agent-assertion"'), MISMATCH),
  oneRequest(
    "the tag as a token beside the list",
    item(good, "x=();tag=agent-assertion"),
    "accepted",
  ),
  oneRequest("a label with a Date of RFC 9651", item(good, "x=();created=@1"), "accepted"),
  oneRequest("a label with a Display String of RFC 9651", item(good, 'x=();y=%"z"'), MISMATCH),
  oneRequest("a label in upper case", item(good, "X=()"), MISMATCH),
  oneRequest("an integer of 16 digits", item(good, "x=1234567890123456"), MISMATCH),
  oneRequest(
    "a tab between components",
    withField(good, "Signature-Input", (value) => value.replace('" "', '"\t"')),
    MISMATCH,
  ),
  oneRequest(
    "a covered value beyond ASCII",
    makeRequest({ digest: `x="\u00e9", ${digestOf(BODY)}` }).request,
    MISMATCH,
  ),
  oneRequest(
    "Content-Digest on two lines",
    withLines(
      makeRequest({ digest: BOTH }).request,
      "Content-Digest",
      digestOf(BODY),
      digestOf(BODY, "sha-512"),
    ),
    "accepted",
  ),
  oneRequest(
    "Content-Digest on two lines in another order than signed",
    withLines(
      makeRequest({ digest: BOTH }).request,
      "Content-Digest",
      digestOf(BODY, "sha-512"),
      digestOf(BODY),
    ),
    "binding_mismatch",
  ),
  oneRequest(
    "Signature-Input on two lines, with another label first",
    withLines(good, "Signature-Input", 'other=("date");tag="x"', fieldOf(good, "Signature-Input")),
    "accepted",
  ),
  oneRequest(
    "another label that is not in canonical form",
    withField(good, "Signature-Input", (value) => `other=(  "date"  ); tag="x", ${value}`),
    "accepted",
  ),
  oneRequest(
    "the tag twice, the good label first",
    withField(
      withField(good, "Signature-Input", (value) => `${value}, ${second.signatureInput}`),
      "Signature",
      (value) => `${value}, ${second.signature}`,
    ),
    "binding_mismatch",
  ),
  oneRequest(
    "a label of the tag that is not a list",
    withField(
      withField(good, "Signature-Input", 'agent-assertion="x";tag="agent-assertion"'),
      "Signature",
      (value) => value,
    ),
    "binding_mismatch",
  ),
  oneRequest(
    "a space before a parameter",
    signedWith((text) => text.replace(";keyid", "; keyid")),
    "binding_mismatch",
  ),
  oneRequest(
    "a parameter twice",
    signedWith((text) => `;created=1${text}`),
    "binding_mismatch",
  ),
  oneRequest(
    "the nonce as a token",
    signedWith((text) => text.replace(/nonce="([^"]*)"/, "nonce=$1")),
    "binding_mismatch",
  ),
  oneRequest(
    "the tag as a token",
    signedWith((text) => text.replace('tag="agent-assertion"', "tag=agent-assertion")),
    "binding_required",
  ),
];
