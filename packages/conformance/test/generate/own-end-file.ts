import { KEY_A, KEY_B, KEY_C, later, NOW, type VectorKey } from "./vector-keys.js";

const AUTHORITY = "https://authority.example/backend-api";

interface End {
  readonly authority?: string;
  readonly agent?: string;
  readonly task?: string | undefined;
  readonly timestamp?: string;
  readonly key?: VectorKey;
}

function textOf({ authority = AUTHORITY, agent = "agent-1", task, timestamp = NOW }: End): string {
  const lines =
    task === undefined
      ? ["countersign-end-agent-v1", authority, agent, timestamp]
      : ["countersign-end-task-v1", authority, agent, task, timestamp];
  return lines.join("\n");
}

function bodyOf(end: End = {}, text = textOf(end)) {
  const { timestamp = NOW, key = KEY_A } = end;
  return { timestamp, signature: key.sign(text).toString("base64") };
}

function built(name: string, end: End) {
  const { authority = AUTHORITY, task, key = KEY_A } = end;
  return {
    name,
    authority,
    agent_runtime_id: "agent-1",
    ...(task === undefined ? {} : { task_id: task }),
    timestamp: NOW,
    private_key_pkcs8_base64: key.pkcs8,
    signed_text: textOf(end),
    body: bodyOf(end),
  };
}

/** Judged as the end of agent-1, or of one of its tasks. */
function check(name: string, expected: string, body: unknown, task?: string, now_ms?: number) {
  return {
    name,
    agent_runtime_id: "agent-1",
    ...(task === undefined ? {} : { task_id: task }),
    public_keys: [KEY_A.line, KEY_B.line],
    ...(now_ms === undefined ? {} : { now_ms }),
    body,
    expected,
  };
}

const aged = (name: string, expected: string, ms: number) =>
  check(name, expected, bodyOf(), undefined, Date.parse(NOW) + ms);
const wrong = (name: string, change: object) =>
  check(name, "invalid_request", { ...bodyOf(), ...change });
const task = "task-1";

/** What an agent signs to end itself or a task, and what an authority checks. */
export const ownEndFile = {
  form: "countersign.own-end/1",
  description:
    "POST {base}/v1/agent/{agent_runtime_id}/end and …/task/{task_id}/end. build: what the key signs, and the body. check: the end of an agent, or with task_id of that task, by an agent that has public_keys, judged at now, or at now_ms, by an authority that is called authority, with max_skew_seconds: expected is ended, or the code.",
  authority: AUTHORITY,
  now: NOW,
  max_skew_seconds: 300,
  build: [
    built("an agent", {}),
    built("a task", { task }),
    built("an authority without a prefix", { authority: "https://authority.example" }),
    built("an authority on loopback", { task, authority: "http://127.0.0.1:4600" }),
    built("another key", { key: KEY_B }),
  ],
  check: [
    check("an agent", "ended", bodyOf()),
    check("a task", "ended", bodyOf({ task }), task),
    check("by the former key while it is valid", "ended", bodyOf({ key: KEY_B })),
    check("an unknown member", "ended", { ...bodyOf(), extra: true }),
    aged("300 s old", "ended", 300_000),
    aged("300.999 s old", "ended", 300_999),
    aged("301 s old", "expired", 301_000),
    aged("300 s ahead", "ended", -300_000),
    aged("301 s ahead", "not_yet_valid", -301_000),
    check("by a key that is not the agent's", "bad_signature", bodyOf({ key: KEY_C })),
    check(
      "for another authority",
      "bad_signature",
      bodyOf({ authority: "https://other.example/backend-api" }),
    ),
    check(
      "for the authority without its prefix",
      "bad_signature",
      bodyOf({ authority: "https://authority.example" }),
    ),
    check("of another agent", "bad_signature", bodyOf({ agent: "agent-2" })),
    check("of a task in place of the agent", "bad_signature", bodyOf({ task })),
    check("of the agent in place of a task", "bad_signature", bodyOf(), task),
    check("of another task", "bad_signature", bodyOf({ task: "task-2" }), task),
    check("the text of a task registration", "bad_signature", bodyOf({}, `agent-1:${NOW}`)),
    check("a line feed at the end of the text", "bad_signature", bodyOf({}, `${textOf({})}\n`)),
    check("a signature over another timestamp", "bad_signature", {
      ...bodyOf({ timestamp: later(NOW, 1) }),
      timestamp: NOW,
    }),
    check("a signature of 63 bytes", "bad_signature", {
      timestamp: NOW,
      signature: Buffer.alloc(63).toString("base64"),
    }),
    check("order: time before signature", "expired", {
      timestamp: later(NOW, -301),
      signature: Buffer.alloc(64).toString("base64"),
    }),
    check("not an object", "invalid_request", []),
    wrong("no timestamp", { timestamp: undefined }),
    wrong("a timestamp with a fraction", { timestamp: NOW.replace("Z", ".0Z") }),
    wrong("a timestamp that is a number", { timestamp: 1776272889 }),
    wrong("no signature", { signature: undefined }),
    wrong("an empty signature", { signature: "" }),
    wrong("a signature in base64url", { signature: `${"-_".repeat(43)}==` }),
    wrong("a signature of 89 characters", { signature: "A".repeat(89) }),
    wrong("a signature that is a number", { signature: 7 }),
  ],
};
