import { KEY_A, KEY_B, KEY_C, KEY_D, later, NOW, type VectorKey } from "./vector-keys.js";

const AUTHORITY = "https://authority.example/backend-api";

interface Rotation {
  readonly authority?: string;
  readonly agent?: string;
  readonly timestamp?: string;
  /** The key that signs as the replaced one. */
  readonly current?: VectorKey;
  readonly next?: VectorKey;
  /** The key that signs as the new one. Default: `next`. */
  readonly newSigner?: VectorKey;
}

function textOf({
  authority = AUTHORITY,
  agent = "agent-1",
  timestamp = NOW,
  next = KEY_B,
}: Rotation) {
  return ["countersign-rotate-v1", authority, agent, timestamp, next.line].join("\n");
}

function bodyOf(rotation: Rotation = {}, more: object = {}) {
  const { timestamp = NOW, current = KEY_A, next = KEY_B, newSigner = next } = rotation;
  const text = textOf(rotation);
  return {
    agent_public_key: next.line,
    timestamp,
    signature: current.sign(text).toString("base64"),
    new_key_signature: newSigner.sign(text).toString("base64"),
    ...more,
  };
}

function built(name: string, rotation: Rotation, more: object = {}) {
  const { current = KEY_A, next = KEY_B } = rotation;
  return {
    name,
    authority: rotation.authority ?? AUTHORITY,
    agent_runtime_id: "agent-1",
    timestamp: NOW,
    private_key_pkcs8_base64: current.pkcs8,
    new_private_key_pkcs8_base64: next.pkcs8,
    ...more,
    signed_text: textOf(rotation),
    body: bodyOf(rotation, more),
  };
}

interface Setting {
  readonly current?: readonly VectorKey[];
  readonly ended?: readonly VectorKey[];
}

function check(name: string, expected: string, body: unknown, setting: Setting = {}) {
  const { current = [KEY_A], ended = [] } = setting;
  return {
    name,
    agent_runtime_id: "agent-1",
    current_public_keys: current.map(({ line }) => line),
    ended_public_keys: ended.map(({ line }) => line),
    body,
    expected,
  };
}

/** Judged so many milliseconds after its timestamp. */
const aged = (name: string, expected: string, ms: number) => ({
  ...check(name, expected, bodyOf()),
  now_ms: Date.parse(NOW) + ms,
});

const rotated: Setting = { current: [KEY_B, KEY_A], ended: [KEY_C] };
const answer = (more: object = {}) => ({
  agent_runtime_id: "agent-1",
  agent_public_key: KEY_B.line,
  former_key_ends_at: later(NOW, 86_400),
  ...more,
});
const { signature, new_key_signature } = bodyOf();
const REQUESTED = { agent_runtime_id: "agent-1", new_private_key_pkcs8_base64: KEY_B.pkcs8 };

/** Key rotations: what both keys sign, what an authority checks, and its answers. */
export const keyRotationFile = {
  form: "countersign.key-rotation/1",
  description:
    "POST {base}/v1/agent/{agent_runtime_id}/key. The authority is called authority, its clock stands at now (or a vector's now_ms, epoch milliseconds), and the agent has current_public_keys, the newest first, and had ended_public_keys. expected is rotated, repeated or the code. An answer in valid names the new key, and when the former one ends. requested, where it is there, is what the client asked for.",
  authority: AUTHORITY,
  now: NOW,
  max_skew_seconds: 300,
  build: [
    built("a rotation", {}),
    built("a compromised key", {}, { compromised: true }),
    built("an authority without a path", { authority: "https://authority.example" }),
  ],
  check: [
    check("a good rotation", "rotated", bodyOf()),
    check("a compromised key", "rotated", bodyOf({}, { compromised: true })),
    check("an unknown member", "rotated", bodyOf({}, { extra: 1 })),
    check("300 s old", "rotated", bodyOf({ timestamp: later(NOW, -300) })),
    check("300 s ahead", "rotated", bodyOf({ timestamp: later(NOW, 300) })),
    check(
      "a second rotation, by the newest key",
      "rotated",
      bodyOf({ current: KEY_B, next: KEY_D }),
      rotated,
    ),
    check("a repetition by the former key", "repeated", bodyOf(), rotated),
    check("a repetition by a key that has ended", "repeated", bodyOf({ current: KEY_C }), rotated),
    check("301 s old", "expired", bodyOf({ timestamp: later(NOW, -301) })),
    check("301 s ahead", "not_yet_valid", bodyOf({ timestamp: later(NOW, 301) })),
    aged("300.999 s old", "rotated", 300_999),
    aged("299.999 s ahead", "rotated", -299_999),
    aged("300.001 s ahead", "not_yet_valid", -300_001),
    check("another authority", "bad_signature", bodyOf({ authority: "https://other.example" })),
    check(
      "the authority without its prefix",
      "bad_signature",
      bodyOf({ authority: "https://authority.example" }),
    ),
    check("another agent", "bad_signature", bodyOf({ agent: "agent-2" })),
    check("another time than the signed one", "bad_signature", {
      ...bodyOf(),
      timestamp: later(NOW, 1),
    }),
    check("another new key than the signed one", "bad_signature", {
      ...bodyOf(),
      agent_public_key: KEY_D.line,
    }),
    check("the new key did not sign", "bad_signature", bodyOf({ newSigner: KEY_A })),
    check("another key signed as the current one", "bad_signature", bodyOf({ current: KEY_D })),
    check("the two signatures exchanged", "bad_signature", {
      ...bodyOf(),
      signature: new_key_signature,
      new_key_signature: signature,
    }),
    check("a rotation by the former key", "bad_signature", bodyOf({ next: KEY_D }), rotated),
    check(
      "a repetition by a key that was never the agent's",
      "bad_signature",
      bodyOf({ current: KEY_D }),
      rotated,
    ),
    check("the newest key, signed by itself", "invalid_key", bodyOf({ current: KEY_B }), rotated),
    check(
      "back to the former key",
      "invalid_key",
      bodyOf({ current: KEY_B, next: KEY_A }),
      rotated,
    ),
    check(
      "back to a key that has ended",
      "invalid_key",
      bodyOf({ current: KEY_B, next: KEY_C }),
      rotated,
    ),
    check("order: time before the signatures", "expired", {
      ...bodyOf({ timestamp: later(NOW, -301) }),
      signature: new_key_signature,
    }),
    check(
      "order: the new key's signature before the current one's",
      "bad_signature",
      bodyOf({ current: KEY_B, newSigner: KEY_A }),
      rotated,
    ),
    check("a new key that is not one", "invalid_key", {
      ...bodyOf(),
      agent_public_key: "ssh-ed25519 AAAA",
    }),
    check("no new key", "invalid_request", { ...bodyOf(), agent_public_key: undefined }),
    check("a timestamp with a fraction", "invalid_request", {
      ...bodyOf(),
      timestamp: "2026-04-15T17:08:09.0Z",
    }),
    check("a signature in base64url", "invalid_request", {
      ...bodyOf(),
      signature: `${signature.slice(0, -2)}__`,
    }),
    check("no new_key_signature", "invalid_request", { ...bodyOf(), new_key_signature: undefined }),
    check("a comment behind the new key", "rotated", {
      ...bodyOf(),
      agent_public_key: `${KEY_B.line} me@host`,
    }),
    check("a signature of 63 bytes", "bad_signature", {
      ...bodyOf(),
      signature: Buffer.alloc(63).toString("base64"),
    }),
    check("a new_key_signature of 65 bytes", "bad_signature", {
      ...bodyOf(),
      new_key_signature: Buffer.alloc(65).toString("base64"),
    }),
    check("a signature of 92 characters", "invalid_request", {
      ...bodyOf(),
      signature: Buffer.alloc(69).toString("base64"),
    }),
    check("an empty signature", "invalid_request", { ...bodyOf(), signature: "" }),
    check("compromised null", "invalid_request", bodyOf({}, { compromised: null })),
    check("order: the new key before the timestamp", "invalid_key", {
      ...bodyOf(),
      agent_public_key: "ssh-ed25519 AAAA",
      timestamp: "now",
    }),
    check("order: types before the new key", "invalid_request", {
      ...bodyOf(),
      agent_public_key: "ssh-ed25519 AAAA",
      signature: 1,
    }),
    check(
      "order: the signature before a key that the agent had",
      "bad_signature",
      bodyOf({ current: KEY_D, next: KEY_C }),
      rotated,
    ),
    check("compromised false", "invalid_request", bodyOf({}, { compromised: false })),
  ],
  valid: [
    {
      name: "what was asked for",
      body: answer(),
      requested: REQUESTED,
      agent_runtime_id: "agent-1",
      ssh_public_key: KEY_B.line,
      former_key_ends_at: later(NOW, 86_400),
    },
    {
      name: "an end with a fraction, and a comment behind the key",
      body: answer({
        agent_public_key: `${KEY_B.line} me@host`,
        former_key_ends_at: "2026-04-16T17:08:09.5Z",
      }),
      agent_runtime_id: "agent-1",
      ssh_public_key: KEY_B.line,
      former_key_ends_at: later(NOW, 86_400),
    },
    {
      name: "with an end",
      body: answer(),
      agent_runtime_id: "agent-1",
      ssh_public_key: KEY_B.line,
      former_key_ends_at: later(NOW, 86_400),
    },
    {
      name: "ended already",
      body: answer({ former_key_ends_at: null }),
      agent_runtime_id: "agent-1",
      ssh_public_key: KEY_B.line,
      former_key_ends_at: null,
    },
    {
      name: "an end with an offset, and a member that is not known",
      body: answer({ former_key_ends_at: "2026-04-16T19:08:09+02:00", x: 1 }),
      agent_runtime_id: "agent-1",
      ssh_public_key: KEY_B.line,
      former_key_ends_at: later(NOW, 86_400),
    },
  ],
  invalid: [
    {
      name: "another agent",
      body: answer({ agent_runtime_id: "agent-2" }),
      requested: REQUESTED,
    },
    {
      name: "another key",
      body: answer({ agent_public_key: KEY_D.line }),
      requested: REQUESTED,
    },
    {
      name: "the key that was replaced",
      body: answer({ agent_public_key: KEY_A.line }),
      requested: REQUESTED,
    },
    { name: "no agent", body: answer({ agent_runtime_id: undefined }) },
    { name: "an agent id that is not one", body: answer({ agent_runtime_id: "a:b" }) },
    { name: "a key that is not one", body: answer({ agent_public_key: "ssh-ed25519 AAAA" }) },
    { name: "no end", body: answer({ former_key_ends_at: undefined }) },
    { name: "an end that is not an instant", body: answer({ former_key_ends_at: "tomorrow" }) },
    { name: "not an object", body: "agent-1" },
  ],
};
