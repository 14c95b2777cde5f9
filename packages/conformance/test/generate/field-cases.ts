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

/** How the fields of a binding may be written, and how not. */
export const FIELD_CASES: readonly RequestCase[] = [
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
