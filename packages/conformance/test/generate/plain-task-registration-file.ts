import { KEY_A, KEY_B, KEY_C, later, NOW, type VectorKey } from "./vector-keys.js";

const AUTHORITY = "https://authority.example";
const IDEMPOTENCY_KEY = "7-c7FnKbEU3ybF8ctMYBhhQ75I3N2Z5xiV2K4TBLB2w";

interface Registration {
  readonly authority?: string;
  readonly agent?: string;
  readonly timestamp?: string;
  /** `undefined` where it is named: the field is not sent. */
  readonly idempotencyKey?: string | undefined;
  readonly key?: VectorKey;
}

const GOOD = {
  authority: AUTHORITY,
  agent: "agent-1",
  timestamp: NOW,
  idempotencyKey: IDEMPOTENCY_KEY,
  key: KEY_A,
};

function textOf(registration: Registration): string {
  const { authority, agent, timestamp, idempotencyKey = "" } = { ...GOOD, ...registration };
  return `countersign-plain-task-v1\n${authority}\n${agent}\n${timestamp}\n${idempotencyKey}`;
}

function bodyOf(registration: Registration = {}, text = textOf(registration)) {
  const { timestamp, key } = { ...GOOD, ...registration };
  return { signature: key.sign(text).toString("base64"), timestamp, plain_task_id: true };
}

const fieldOf = (idempotency_key: string | undefined) =>
  idempotency_key === undefined ? {} : { idempotency_key };

function built(name: string, registration: Registration = {}) {
  const { authority, agent, timestamp, idempotencyKey, key } = { ...GOOD, ...registration };
  return {
    name,
    authority,
    agent_runtime_id: agent,
    timestamp,
    ...fieldOf(idempotencyKey),
    private_key_pkcs8_base64: key.pkcs8,
    signed_text: textOf(registration),
    body: bodyOf(registration),
  };
}

function check(name: string, expected: string, body: unknown, sent: Registration = {}, now = NOW) {
  const { authority, agent, idempotencyKey } = { ...GOOD, ...sent };
  return {
    name,
    now,
    authority,
    agent_runtime_id: agent,
    public_keys: [KEY_A.line, KEY_B.line],
    ...fieldOf(idempotencyKey),
    body,
    expected,
  };
}

const { plain_task_id: _, ...removed } = bodyOf();
const sealed = { signature: KEY_A.sign(`agent-1:${NOW}`).toString("base64"), timestamp: NOW };
const wrong = (name: string, plain_task_id: unknown) =>
  check(name, "invalid_request", { ...bodyOf(), plain_task_id });

/** Registrations that ask for a plain task id. */
export const plainTaskRegistrationFile = {
  form: "countersign.plain-task-registration/1",
  description:
    "POST {base}/v1/agent/{agent_runtime_id}/task/register with plain_task_id (T-11). build: sign signed_text and give body. check: an authority that gives plain task ids, whom the client calls authority, judges body at now with a skew of 300 s, for an agent that has public_keys; idempotency_key is the value of Idempotency-Key, which is not sent without it. expected is plain or sealed, as the id is answered, or the code.",
  build: [
    built("with an Idempotency-Key"),
    built("without an Idempotency-Key", { idempotencyKey: undefined }),
    built("a base with a path", { authority: "https://authority.example/backend-api" }),
    built("an authority on loopback", { authority: "http://127.0.0.1:4701" }),
    built("the longest Idempotency-Key, with what a text could be cut at", {
      idempotencyKey: `${":/\\n\\\"'".repeat(32)}${"~".repeat(32)}`,
    }),
  ],
  check: [
    check("good", "plain", bodyOf()),
    check("the other key", "plain", bodyOf({ key: KEY_B })),
    check("without an Idempotency-Key", "plain", bodyOf({ idempotencyKey: undefined }), {
      idempotencyKey: undefined,
    }),
    check("an unknown member", "plain", { ...bodyOf(), extra: { a: 1 } }),
    check("without the member, by the text of T-1", "sealed", sealed),
    check("the member was removed on the way", "bad_signature", removed),
    check("the member was added on the way", "bad_signature", { ...sealed, plain_task_id: true }),
    check("another authority", "bad_signature", bodyOf({ authority: "https://other.example" })),
    check(
      "the base with the prefix",
      "bad_signature",
      bodyOf({ authority: `${AUTHORITY}/backend-api` }),
    ),
    check("the base with a slash", "bad_signature", bodyOf({ authority: `${AUTHORITY}/` })),
    check("another agent", "bad_signature", bodyOf({ agent: "agent-2" })),
    check("another time", "bad_signature", { ...bodyOf(), timestamp: later(NOW, 1) }),
    check("another Idempotency-Key", "bad_signature", bodyOf(), { idempotencyKey: "another" }),
    check("the Idempotency-Key was removed on the way", "bad_signature", bodyOf(), {
      idempotencyKey: undefined,
    }),
    check(
      "an Idempotency-Key was added on the way",
      "bad_signature",
      bodyOf({ idempotencyKey: undefined }),
    ),
    check("a key that is not the agent's", "bad_signature", bodyOf({ key: KEY_C })),
    check(
      "a line feed at the end",
      "bad_signature",
      bodyOf({ idempotencyKey: undefined }, `${textOf({ idempotencyKey: undefined })}\n`),
      { idempotencyKey: undefined },
    ),
    check(
      "four lines",
      "bad_signature",
      bodyOf({}, textOf({ idempotencyKey: undefined }).trimEnd()),
      { idempotencyKey: undefined },
    ),
    check(
      "another name in front",
      "bad_signature",
      bodyOf({}, textOf({}).replace("plain-task-v1", "plain-task-v2")),
    ),
    check("carriage returns", "bad_signature", bodyOf({}, textOf({}).replaceAll("\n", "\r\n"))),
    check("300 s old", "plain", bodyOf(), {}, later(NOW, 300)),
    check("301 s old", "expired", bodyOf(), {}, later(NOW, 301)),
    check("301 s ahead", "not_yet_valid", bodyOf(), {}, later(NOW, -301)),
    check("order: time before signature", "expired", bodyOf({ key: KEY_C }), {}, later(NOW, 301)),
    wrong("false", false),
    wrong("null", null),
    wrong("a text", "true"),
    wrong("a number", 1),
    wrong("an object", {}),
    check(
      "order: form before time",
      "invalid_request",
      { ...bodyOf(), plain_task_id: 1 },
      {},
      later(NOW, 301),
    ),
  ],
};
