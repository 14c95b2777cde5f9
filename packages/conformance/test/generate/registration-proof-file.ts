import type { ReceivedRequest } from "./bound-request.js";
import { withField, without } from "./bound-request.js";
import { digestOf, parametersOf, type SignedMessage, signComponents } from "./message-signature.js";
import { KEY_A, KEY_B, later, NOW, seconds, type VectorKey } from "./vector-keys.js";

const PUBLIC_URL = "https://authority.example";
const NONCE = "AAECAwQFBgcICQoLDA0ODw";
const AGENT_PATH = "/v1/agent/register";
const TASK_PATH = "/v1/agent/agent-1/task/register";

interface Proof {
  readonly key: VectorKey;
  readonly target: string;
  readonly keyid: string;
  readonly created: number;
  readonly body: string;
  readonly idempotencyKey?: string;
  readonly names?: readonly string[];
  readonly parameters?: (text: string) => string;
  readonly root?: string;
  readonly method?: string;
}

const AGENT_BODY = JSON.stringify({
  abom: { agent_version: "1.0.0", agent_harness_id: "vectors", running_location: "test" },
  agent_public_key: KEY_A.line,
  capabilities: [],
});
const agentProof = (changes: Partial<Proof> = {}): Proof => ({
  key: KEY_A,
  target: AGENT_PATH,
  keyid: KEY_A.blob,
  created: seconds(NOW),
  body: AGENT_BODY,
  ...changes,
});
const TASK_BODY = JSON.stringify({
  signature: KEY_A.sign(`agent-1:${NOW}`).toString("base64"),
  timestamp: NOW,
});
const taskProof = (changes: Partial<Proof> = {}): Proof => ({
  key: KEY_A,
  target: TASK_PATH,
  keyid: "agent-1",
  created: seconds(NOW),
  body: TASK_BODY,
  idempotencyKey: "idempotency-1",
  ...changes,
});

function prove(proof: Proof): SignedMessage {
  const { key, target, keyid, created, body, idempotencyKey, root = PUBLIC_URL } = proof;
  const { method = "POST", parameters = (text: string) => text } = proof;
  const names = proof.names ?? [
    "@method",
    "@target-uri",
    "content-digest",
    ...(idempotencyKey === undefined ? [] : ["idempotency-key"]),
  ];
  return signComponents({
    key,
    names,
    values: {
      "@method": method,
      "@target-uri": root + target,
      "content-digest": digestOf(body),
      "idempotency-key": idempotencyKey ?? "",
    },
    parameters: parameters(parametersOf(created, keyid, NONCE, "agent-registration")),
    label: "agent-registration",
  });
}

function requestOf(proof: Proof): ReceivedRequest {
  const { signatureInput, signature } = prove(proof);
  const { target, body, idempotencyKey } = proof;
  return {
    method: "POST",
    target,
    fields: [
      ["Host", "evil.example"],
      ["Content-Type", "application/json"],
      ...(idempotencyKey === undefined ? [] : [["Idempotency-Key", idempotencyKey] as const]),
      ["Content-Digest", digestOf(body)],
      ["Signature-Input", signatureInput],
      ["Signature", signature],
    ],
    body_base64: Buffer.from(body).toString("base64"),
  };
}

function signVector(name: string, proof: Proof) {
  const { base, signatureInput, signature } = prove(proof);
  return {
    name,
    private_key_pkcs8_base64: proof.key.pkcs8,
    keyid: proof.keyid,
    created: proof.created,
    nonce: NONCE,
    method: "POST",
    url: PUBLIC_URL + proof.target,
    body: proof.body,
    ...(proof.idempotencyKey === undefined ? {} : { idempotency_key: proof.idempotencyKey }),
    content_digest: digestOf(proof.body),
    signature_base: base,
    signature_input: signatureInput,
    signature,
  };
}

const agent = (name: string, expected: string, request: ReceivedRequest) => ({
  name: `agent: ${name}`,
  ssh_public_key: KEY_A.line,
  ...request,
  expected,
});
const task = (name: string, expected: string, request: ReceivedRequest) => ({
  name: `task: ${name}`,
  agent_runtime_id: "agent-1",
  ssh_public_key: KEY_A.line,
  timestamp: NOW,
  ...request,
  expected,
});
const good = requestOf(agentProof());
const signed = (changes: Partial<Proof>) => requestOf(agentProof(changes));
const BAD = "bad_signature";
/** Judged so many milliseconds after it was created. */
const aged = (name: string, expected: string, ms: number) => ({
  ...agent(name, expected, good),
  now_ms: Date.parse(NOW) + ms,
});
const PREFIX = "/backend-api";
/** At an authority whose public URL ends in the prefix. */
const mounted = (name: string, expected: string, changes: Partial<Proof>) => ({
  ...agent(name, expected, signed(changes)),
  public_url: `${PUBLIC_URL}${PREFIX}`,
});

/** Registration proofs: how a client signs them, and what an authority makes of them. */
export const registrationProofFile = {
  form: "countersign.registration-proof/1",
  description:
    "Registrations as an authority receives them, whose policy is accept, whose public URL is public_url (or a vector's own) and whose clock stands at now (or a vector's now_ms, epoch milliseconds). A vector with an agent_runtime_id is a task registration whose own signature holds under ssh_public_key, at timestamp; any other is an agent registration of ssh_public_key. expected is proven, unproven (no proof was sent) or the code.",
  now: NOW,
  public_url: PUBLIC_URL,
  sign: [
    signVector("an agent registration", agentProof()),
    signVector("a task registration", taskProof()),
  ],
  check: [
    agent("a good proof", "proven", good),
    agent("an Idempotency-Key that is covered", "proven", signed({ idempotencyKey: "k" })),
    agent("a day old", "proven", signed({ created: seconds(NOW, -86_400) })),
    agent("a day ahead", "proven", signed({ created: seconds(NOW, 86_400) })),
    agent("no signature fields", "unproven", without(good, "Signature", "Signature-Input")),
    agent(
      "a signature of another tag",
      "unproven",
      signed({ parameters: (text) => text.replace("agent-registration", "agent-assertion") }),
    ),
    agent("a day and a second old", BAD, signed({ created: seconds(NOW, -86_401) })),
    agent("a day and a second ahead", BAD, signed({ created: seconds(NOW, 86_401) })),
    aged("a day and a millisecond old", BAD, 86_400_001),
    aged("a day less a millisecond old", "proven", 86_399_999),
    aged("a day and a millisecond ahead", BAD, -86_400_001),
    agent("another key", BAD, signed({ key: KEY_B })),
    agent("another keyid", BAD, signed({ keyid: KEY_B.blob })),
    agent("the whole line as keyid", BAD, signed({ keyid: KEY_A.line })),
    agent("another method", BAD, signed({ method: "PUT" })),
    agent("the root of Host", BAD, signed({ root: "https://evil.example" })),
    agent("a prefix that was not sent", BAD, signed({ root: `${PUBLIC_URL}/backend-api` })),
    agent("another body", BAD, {
      ...good,
      body_base64: Buffer.from(AGENT_BODY.replace("1.0.0", "2.0.0")).toString("base64"),
    }),
    mounted("the prefix in the public URL and in the target", "proven", {
      target: `${PREFIX}${AGENT_PATH}`,
    }),
    mounted("the prefix in the public URL alone", "proven", { root: `${PUBLIC_URL}${PREFIX}` }),
    mounted("the prefix twice", BAD, {
      target: `${PREFIX}${AGENT_PATH}`,
      root: `${PUBLIC_URL}${PREFIX}`,
    }),
    mounted("the prefix left out", BAD, {}),
    agent("the prefix in the target alone", "proven", signed({ target: `${PREFIX}${AGENT_PATH}` })),
    agent(
      "Signature-Input that cannot be read",
      BAD,
      withField(good, "Signature-Input", "agent-registration=("),
    ),
    agent("no Content-Digest", BAD, without(good, "Content-Digest")),
    agent("a digest of another body", BAD, withField(good, "Content-Digest", digestOf("{}"))),
    agent("an Idempotency-Key that is not covered", BAD, withField(good, "Idempotency-Key", "k")),
    agent(
      "another Idempotency-Key than the covered one",
      BAD,
      withField(signed({ idempotencyKey: "k" }), "Idempotency-Key", "l"),
    ),
    agent(
      "a covered Idempotency-Key that was not sent",
      BAD,
      without(signed({ idempotencyKey: "k" }), "Idempotency-Key"),
    ),
    agent("no content-digest covered", BAD, signed({ names: ["@method", "@target-uri"] })),
    agent(
      "a component more",
      BAD,
      signed({ names: ["@method", "@target-uri", "content-digest", "host"] }),
    ),
    agent("expires", BAD, signed({ parameters: (text) => `${text};expires=9999999999` })),
    agent("no nonce", BAD, signed({ parameters: (text) => text.replace(/;nonce="[^"]*"/, "") })),
    agent("no Signature", BAD, without(good, "Signature")),
    task("a good proof", "proven", requestOf(taskProof())),
    task("without an Idempotency-Key", "proven", requestOf(taskWithoutKey())),
    task(
      "created at another second than the body's",
      BAD,
      requestOf(taskProof({ created: seconds(later(NOW, 1)) })),
    ),
    task("the public line as keyid", BAD, requestOf(taskProof({ keyid: KEY_A.blob }))),
    task("another key", BAD, requestOf(taskProof({ key: KEY_B }))),
    task("for another agent's path", BAD, {
      ...requestOf(taskProof({ target: "/v1/agent/agent-2/task/register" })),
      target: TASK_PATH,
    }),
    task("of an agent registration", BAD, { ...good, target: TASK_PATH }),
  ],
};

function taskWithoutKey(): Proof {
  const { idempotencyKey: _, ...proof } = taskProof();
  return proof;
}
