import {
  BODY,
  type Changes,
  makeRequest,
  NONCE,
  type ReceivedRequest,
  withField,
  without,
} from "./bound-request.js";
import { digestOf, signComponents } from "./message-signature.js";
import { REPLAY_CASES } from "./replay-cases.js";
import { oneRequest, type RequestCase } from "./request-case.js";
import { authorizationOf, KEY_A, KEY_B, KEY_C } from "./vector-keys.js";

const GET: Changes = { method: "GET", body: null };
const ALL = ["@method", "@target-uri", "authorization", "content-digest"];

const accepted = (name: string, request: ReceivedRequest) => oneRequest(name, request, "accepted");
const mismatch = (name: string, request: ReceivedRequest) =>
  oneRequest(name, request, "binding_mismatch");
const made = (changes: Changes = {}) => makeRequest(changes).request;
const parameters = (change: (text: string) => string) => made({ parameters: change });

/** A second label beside the good one, of another or of the same tag. */
function withSecondLabel(label: string, tag: string): ReceivedRequest {
  const good = made();
  const second = signComponents({
    key: KEY_B,
    names: ["@method"],
    values: { "@method": "POST" },
    parameters: `;created=1;keyid="x";tag="${tag}"`,
    label,
  });
  const input = withField(good, "Signature-Input", (value) => `${second.signatureInput}, ${value}`);
  return withField(input, "Signature", (value) => `${value}, ${second.signature}`);
}

function signatureOf(change: (bytes: Buffer) => Buffer): ReceivedRequest {
  return withField(made(), "Signature", (value) => {
    const bytes = Buffer.from(value.slice("agent-assertion=:".length, -1), "base64");
    return `agent-assertion=:${change(bytes).toString("base64")}:`;
  });
}

const ACCEPTED: readonly RequestCase[] = [
  accepted("a body", made()),
  accepted("no body", made(GET)),
  accepted("a body of zero bytes counts as no body", made({ body: "" })),
  accepted("components in another order", made({ names: [...ALL].reverse() })),
  accepted(
    "alg ed25519",
    parameters((text) => `${text};alg="ed25519"`),
  ),
  accepted("another label", made({ label: "sig1" })),
  accepted("a label of another tag beside it", withSecondLabel("other", "other")),
  accepted("a nonce of 256 characters", made({ nonce: "n".repeat(256) })),
  accepted("a digest by sha-512", made({ digest: digestOf(BODY, "sha-512") })),
  accepted("digests by both", made({ digest: `${digestOf(BODY)}, ${digestOf(BODY, "sha-512")}` })),
  accepted(
    "a digest by an unknown algorithm beside it",
    made({ digest: `md5=:AAAA:, ${digestOf(BODY)}` }),
  ),
  accepted("another Host", withField(made(), "Host", "evil.example")),
  accepted(
    "fields with blanks around them",
    withField(made(), "Signature", (value) => ` ${value}\t`),
  ),
  accepted("the newest of two keys for both", made({ key: KEY_B, agent: "agent-two-keys" })),
  accepted("the other of two keys for both", made({ key: KEY_C, agent: "agent-two-keys" })),
];

const OTHER_REQUEST: readonly RequestCase[] = [
  mismatch("another method", made({ signed: { "@method": "GET" } })),
  mismatch("the method in lower case", made({ signed: { "@method": "post" } })),
  mismatch("another path", { ...made(), target: "/v1/z?y" }),
  mismatch("another query", { ...made(), target: "/v1/x?z" }),
  mismatch("the path unescaped", { ...made({ ...GET, target: "/a%2Fb" }), target: "/a/b" }),
  mismatch("another root", made({ root: "https://other.example/base" })),
  mismatch(
    "the root of Host",
    withField(made({ root: "https://evil.example/base" }), "Host", "evil.example"),
  ),
  mismatch("plain http", made({ root: "http://api.example/base" })),
  mismatch("a root without the path of the public URL", made({ root: "https://api.example" })),
  mismatch("a target that is no path", {
    ...made({ ...GET, target: "?y", root: "https://api.example/base" }),
    target: "?y",
  }),
  mismatch("another body", { ...made(), body_base64: Buffer.from("{}").toString("base64") }),
  mismatch("a body that was taken away", made({ body: null, digest: digestOf(BODY) })),
  mismatch("a body that was added", {
    ...made(GET),
    body_base64: Buffer.from(BODY).toString("base64"),
  }),
  mismatch(
    "the digest of no byte for a body without a byte",
    made({ body: "", digest: digestOf("") }),
  ),
  mismatch("a digest of another body", made({ digest: digestOf("{}") })),
  mismatch(
    "a right digest by sha-256 and a wrong one by sha-512",
    made({ digest: `${digestOf(BODY)}, ${digestOf("{}", "sha-512")}` }),
  ),
  mismatch("a digest by an unknown algorithm alone", made({ digest: "md5=:AAAA:" })),
  mismatch("a digest twice", made({ digest: `${digestOf(BODY)}, ${digestOf(BODY)}` })),
  mismatch("a digest with a parameter", made({ digest: `${digestOf(BODY)};x=1` })),
  mismatch(
    "a digest that is not canonical base64",
    made({ digest: digestOf(BODY).replace("=:", "") }),
  ),
  mismatch("another assertion of the same agent, task and second", {
    ...withField(
      made({ signed: { authorization: authorizationOf(KEY_A, "agent-1", "task-1") } }),
      "Authorization",
      (value) => value.replace(" ", "  "),
    ),
  }),
];

const OTHER_COVER: readonly RequestCase[] = ALL.map((name) =>
  mismatch(`${name} is not covered`, made({ names: ALL.filter((other) => other !== name) })),
);

const OTHER_FORM: readonly RequestCase[] = [
  mismatch("a component more", made({ names: [...ALL, "host"], signed: { host: "api.example" } })),
  mismatch("a component twice", made({ names: [...ALL, "@method"] })),
  mismatch(
    "a component with a parameter",
    withField(made(), "Signature-Input", (value) => value.replace('"@method"', '"@method";req')),
  ),
  mismatch(
    "created another second",
    parameters((text) => text.replace(/created=(\d+)/, "created=1")),
  ),
  mismatch(
    "no created",
    parameters((text) => text.replace(/;created=\d+/, "")),
  ),
  mismatch(
    "created as a text",
    parameters((text) => text.replace(/created=(\d+)/, 'created="$1"')),
  ),
  mismatch(
    "another keyid",
    parameters((text) => text.replace("agent-1", "agent-2")),
  ),
  mismatch(
    "no keyid",
    parameters((text) => text.replace(/;keyid="[^"]*"/, "")),
  ),
  mismatch("a nonce of 21 characters", made({ nonce: NONCE.slice(1) })),
  mismatch("a nonce of 257 characters", made({ nonce: "n".repeat(257) })),
  mismatch("a nonce with a space", made({ nonce: `${NONCE} ${NONCE}` })),
  mismatch(
    "no nonce",
    parameters((text) => text.replace(/;nonce="[^"]*"/, "")),
  ),
  mismatch(
    "another alg",
    parameters((text) => `${text};alg="rsa-pss-sha512"`),
  ),
  mismatch(
    "expires",
    parameters((text) => `${text};expires=9999999999`),
  ),
  mismatch(
    "an unknown parameter",
    parameters((text) => `${text};x`),
  ),
  mismatch("the tag twice, under two labels", withSecondLabel("second", "agent-assertion")),
  mismatch("a label twice", withSecondLabel("agent-assertion", "other")),
  mismatch(
    "two spaces between components",
    withField(made(), "Signature-Input", (value) => value.replace('" "', '"  "')),
  ),
  mismatch(
    "created with a leading zero",
    parameters((text) => text.replace("created=", "created=0")),
  ),
  mismatch(
    "Signature-Input that cannot be read",
    withField(made(), "Signature-Input", "agent-assertion=("),
  ),
  mismatch("no Signature", without(made(), "Signature")),
  mismatch(
    "Signature under another label",
    withField(made(), "Signature", (value) => value.replace("agent-assertion", "other")),
  ),
  mismatch(
    "Signature that is no byte sequence",
    withField(made(), "Signature", 'agent-assertion="x"'),
  ),
  mismatch(
    "Signature with a parameter",
    withField(made(), "Signature", (value) => `${value};x`),
  ),
  mismatch(
    "a signature of 63 bytes",
    signatureOf((bytes) => bytes.subarray(1)),
  ),
  mismatch(
    "a signature with a bit flipped",
    signatureOf((bytes) => Buffer.from(bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte)))),
  ),
  mismatch("a signature by another key", made({ signer: KEY_B })),
  mismatch(
    "a signature by the other of the agent's two keys",
    made({ key: KEY_B, signer: KEY_C, agent: "agent-two-keys" }),
  ),
  oneRequest(
    "no signature fields",
    without(made(), "Signature", "Signature-Input"),
    "binding_required",
  ),
  oneRequest(
    "a signature of another tag alone",
    made({ parameters: (text) => text.replace("agent-assertion", "other") }),
    "binding_required",
  ),
  oneRequest(
    "a signature of a registration alone",
    made({ parameters: (text) => text.replace("agent-assertion", "agent-registration") }),
    "binding_required",
  ),
];

/** Check 7 on the binding, and check 8. */
export const BINDING_CASES: readonly RequestCase[] = [
  ...ACCEPTED,
  ...OTHER_REQUEST,
  ...OTHER_COVER,
  ...OTHER_FORM,
  ...REPLAY_CASES,
];
