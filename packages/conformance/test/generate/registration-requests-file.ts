import { KEY_A, KEY_B, KEY_C, later, NOW, type VectorKey } from "./vector-keys.js";

const abom = { agent_version: "1.0.0", agent_harness_id: "vectors", running_location: "test" };
const GOOD = { abom, agent_public_key: KEY_A.line, capabilities: ["responsesapi"] };
const agent = (name: string, body: unknown, code?: string) => ({
  name,
  body,
  ...(code === undefined ? {} : { code }),
});
/** The body as a text, since what it is about is lost in parsed JSON. */
const sent = (name: string, change: (text: string) => string, code?: string) => {
  const body_text = change(JSON.stringify({ ...GOOD, ttl: 60 }));
  return { name, body_text, ...(code === undefined ? {} : { code }) };
};
const wrong = (name: string, change: object) =>
  agent(name, { ...GOOD, ...change }, "invalid_request");

function taskBody(key: VectorKey, timestamp = NOW, agentId = "agent-1") {
  return { signature: key.sign(`${agentId}:${timestamp}`).toString("base64"), timestamp };
}
const task = (name: string, expected: string, body: unknown, now = NOW) => ({
  name,
  now,
  agent_runtime_id: "agent-1",
  public_keys: [KEY_A.line, KEY_B.line],
  body,
  expected,
});
const good = taskBody(KEY_A);
const labelled = (label: unknown) => ({ ...good, thread_label: label });
/** Judged so many milliseconds after its timestamp. */
const aged = (name: string, expected: string, ms: number) => ({
  ...task(name, expected, good, later(NOW, Math.floor(ms / 1000))),
  now_ms: Date.parse(NOW) + ms,
});

/** Bodies of registrations as an authority receives them. */
export const registrationRequestsFile = {
  form: "countersign.registration-requests/1",
  description:
    "Bodies of agent registrations that have the right form, or not (code), and of task registrations of an agent that has public_keys, the newest first, judged at now with a skew of 300 s (now_ms, where it is there, is the same clock in epoch milliseconds; body_text is the body as it was sent): expected is accepted, or the code.",
  max_skew_seconds: 300,
  agents: [
    agent("as Codex of generation A", { abom, agent_public_key: KEY_A.line, capabilities: [] }),
    agent("as Codex of generation C", { ...GOOD, ttl: null }),
    agent("with a ttl and whom it is for", {
      ...GOOD,
      ttl: 3600,
      account_id: "acct-1",
      user_id: "user-1",
    }),
    agent("null for whom it is for", { ...GOOD, account_id: null, user_id: null }),
    agent("a comment behind the key", { ...GOOD, agent_public_key: `${KEY_A.line} me@host` }),
    agent("an unknown member", { ...GOOD, extra: { a: 1 } }),
    agent("64 capabilities", {
      ...GOOD,
      capabilities: Array.from({ length: 64 }, (_, i) => `c${i}`),
    }),
    agent("ephemeral", { ...GOOD, ttl: 3600, ephemeral: true }),
    agent("ephemeral: false", { ...GOOD, ephemeral: false }),
    agent("ephemeral: null", { ...GOOD, ephemeral: null }),
    wrong("ephemeral as a text", { ephemeral: "true" }),
    wrong("ephemeral as a number", { ephemeral: 1 }),
    agent("a ttl of 1", { ...GOOD, ttl: 1 }),
    agent("a ttl of 2^53 - 1", { ...GOOD, ttl: Number.MAX_SAFE_INTEGER }),
    sent("a ttl of 60.0", (text) => text.replace(":60", ":60.0")),
    sent("a ttl of 6e1", (text) => text.replace(":60", ":6e1")),
    sent("a ttl of 600.0e-1", (text) => text.replace(":60", ":600.0e-1")),
    sent("a ttl of 60.5", (text) => text.replace(":60", ":60.5"), "invalid_request"),
    sent("a ttl of 0.0", (text) => text.replace(":60", ":0.0"), "invalid_request"),
    sent("a member twice, of which the last counts", (text) => text.replace("{", '{"ttl":0,')),
    sent(
      "a member twice, of which the last is wrong",
      (text) => text.replace(/\}$/, ',"ttl":0}'),
      "invalid_request",
    ),
    sent("white space around the object", (text) => ` \t\r\n${text} \t\r\n`),
    sent("a byte order mark", (text) => `\ufeff${text}`, "invalid_request"),
    sent("a comma too many", (text) => text.replace(/\}$/, ",}"), "invalid_request"),
    sent("two objects", (text) => text + text, "invalid_request"),
    sent("no body", () => "", "invalid_request"),
    wrong("a ttl of 2^53", { ttl: 2 ** 53 }),
    wrong("a ttl that is true", { ttl: true }),
    agent("256 characters of two UTF-16 units each", {
      ...GOOD,
      abom: { ...abom, agent_version: "\u{1f600}".repeat(256) },
      capabilities: ["\u{1f600}".repeat(256)],
    }),
    wrong("257 characters of two UTF-16 units each", { capabilities: ["\u{1f600}".repeat(257)] }),
    wrong("a capability of 257 characters", { capabilities: ["c".repeat(257)] }),
    wrong("a control character in a capability", { capabilities: ["a\u0000b"] }),
    wrong("a format character in a capability", { capabilities: ["a\u200bb"] }),
    wrong("a key of 2049 characters", {
      agent_public_key: `${KEY_A.line} ${"k".repeat(2048 - KEY_A.line.length)}`,
    }),
    wrong("a user id with a comma", { user_id: "a,b" }),
    wrong("an account id with a quotation mark", { account_id: 'a"b' }),
    wrong("an account id with a backslash", { account_id: "a\\b" }),
    wrong("an account id of 257 characters", { account_id: "a".repeat(257) }),
    agent("not an object", [], "invalid_request"),
    wrong("no abom", { abom: undefined }),
    wrong("an abom without a member", { abom: { ...abom, running_location: undefined } }),
    wrong("an empty version", { abom: { ...abom, agent_version: "" } }),
    wrong("a version of 257 characters", { abom: { ...abom, agent_version: "v".repeat(257) } }),
    wrong("a line break in the abom", { abom: { ...abom, agent_harness_id: "a\nb" } }),
    wrong("a bidirectional override in the abom", {
      abom: { ...abom, agent_harness_id: "a\u202eb" },
    }),
    wrong("no key", { agent_public_key: undefined }),
    wrong("no capabilities", { capabilities: undefined }),
    wrong("65 capabilities", { capabilities: Array.from({ length: 65 }, (_, i) => `c${i}`) }),
    wrong("an empty capability", { capabilities: [""] }),
    wrong("a ttl of 0", { ttl: 0 }),
    wrong("a ttl with a fraction", { ttl: 1.5 }),
    wrong("a ttl as a text", { ttl: "60" }),
    wrong("an account id with a space", { account_id: "a b" }),
    wrong("an empty user id", { user_id: "" }),
    agent("a key that is not one", { ...GOOD, agent_public_key: "ssh-rsa AAAA" }, "invalid_key"),
    agent("order: form before key", { ...GOOD, agent_public_key: "x", ttl: 0 }, "invalid_request"),
  ],
  tasks: [
    task("the newest key", "accepted", good),
    task("the other key", "accepted", taskBody(KEY_B)),
    task("members in Codex's other order, and one that is not known", "accepted", {
      timestamp: NOW,
      signature: good.signature,
      x: 1,
    }),
    task("300 s old", "accepted", good, later(NOW, 300)),
    task("300 s ahead", "accepted", good, later(NOW, -300)),
    task("301 s old", "expired", good, later(NOW, 301)),
    task("301 s ahead", "not_yet_valid", good, later(NOW, -301)),
    aged("300.999 s old", "accepted", 300_999),
    aged("299.999 s ahead", "accepted", -299_999),
    aged("300.001 s ahead", "not_yet_valid", -300_001),
    task("a key that is not the agent's", "bad_signature", taskBody(KEY_C)),
    task("another agent", "bad_signature", taskBody(KEY_A, NOW, "agent-2")),
    task("another time", "bad_signature", { ...good, timestamp: later(NOW, 1) }),
    task("order: time before signature", "expired", taskBody(KEY_C), later(NOW, 301)),
    task("a signature of 63 bytes", "invalid_request", {
      ...good,
      signature: Buffer.alloc(63).toString("base64"),
    }),
    task("a signature of 65 bytes", "invalid_request", {
      ...good,
      signature: Buffer.alloc(65).toString("base64"),
    }),
    task("an empty signature", "invalid_request", { ...good, signature: "" }),
    task("a signature in base64url", "invalid_request", {
      ...good,
      signature: good.signature.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
    }),
    task("no signature", "invalid_request", { timestamp: NOW }),
    task("a timestamp with an offset", "invalid_request", {
      ...good,
      timestamp: "2026-04-15T17:08:09+00:00",
    }),
    task("not an object", "invalid_request", "x"),
    ...["a", "Refactor billing", "日本 \u{1f600}!", "x".repeat(64), "\u{1f600}".repeat(64)].map(
      (label) => task(`thread label ${JSON.stringify(label)}`, "accepted", labelled(label)),
    ),
    ...["", " ", " a", "a ", "a\u00a0", "a\nb", "a\u0000b", "a\u202eb", "a\u200bb", "a\u2028b"].map(
      (label) => task(`thread label ${JSON.stringify(label)}`, "invalid_request", labelled(label)),
    ),
    task("thread label of 65 characters", "invalid_request", labelled("x".repeat(65))),
    task("thread label null", "invalid_request", labelled(null)),
    task("thread label that is a number", "invalid_request", labelled(1)),
    task(
      "order: form of the thread label before time",
      "invalid_request",
      labelled(""),
      later(NOW, 301),
    ),
  ],
};
