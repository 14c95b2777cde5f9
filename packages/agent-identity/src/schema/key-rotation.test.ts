import { AgentKey, AgentKeyError, type Code } from "@countersign/agent-key";
import { expectRejection, expectThrow } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentIdentityError } from "../agent-identity-error.js";
import {
  createKeyRotationRequest,
  createKeyRotationRequestAsync,
  createKeyRotationResponse,
  keyRotationPath,
  keyRotationText,
  parseKeyRotationResponse,
  type RotationKeys,
} from "./key-rotation.js";
import { parseKeyRotationRequest } from "./key-rotation-request.js";
import { type VerifyKeyRotationOptions, verifyKeyRotation } from "./verify-key-rotation.js";

const NOW = Date.UTC(2026, 2, 23, 12, 0, 0, 900);
const ROTATION = {
  authority: "https://authority.example/backend-api",
  agentRuntimeId: "agent_1",
  timestamp: "2026-03-23T12:00:00Z",
};
const [current, next, other] = [AgentKey.generate(), AgentKey.generate(), AgentKey.generate()];
const BODY = createKeyRotationRequest(ROTATION, { current, next });

async function expectRefused(run: () => unknown, code: Code): Promise<void> {
  await expectRejection(Promise.resolve().then(run), AgentIdentityError, code);
}

function verify(body: unknown, options: Partial<VerifyKeyRotationOptions> = {}) {
  return verifyKeyRotation(parseKeyRotationRequest(body), {
    authority: ROTATION.authority,
    agentRuntimeId: ROTATION.agentRuntimeId,
    currentKeys: [current.publicKey],
    now: NOW,
    ...options,
  });
}

describe("a key rotation is no request", () => {
  test.each<[string, unknown]>([
    ["that is no object", []],
    ["without a key", { ...BODY, agent_public_key: undefined }],
    ["without a timestamp", { ...BODY, timestamp: undefined }],
    ["with fractions of a second", { ...BODY, timestamp: "2026-03-23T12:00:00.000Z" }],
    ["on a day that does not exist", { ...BODY, timestamp: "2026-02-30T12:00:00Z" }],
    ["without the current key's signature", { ...BODY, signature: undefined }],
    ["without the new key's signature", { ...BODY, new_key_signature: undefined }],
    ["with a signature that is no text", { ...BODY, signature: 1 }],
    ["with a signature without padding", { ...BODY, signature: BODY.signature.slice(0, -2) }],
    ["with a signature that is too long", { ...BODY, signature: "A".repeat(92) }],
    [
      "with stray bits",
      { ...BODY, new_key_signature: BODY.new_key_signature.replace(/.==$/, "B==") },
    ],
    ["with another word for compromised", { ...BODY, compromised: "true" }],
    ["with compromised: false", { ...BODY, compromised: false }],
  ])("%s", async (_, body) => {
    await expectRefused(() => parseKeyRotationRequest(body), "invalid_request");
  });

  test("with a new key that is not valid", async () => {
    const body = { ...BODY, agent_public_key: "ssh-ed25519 AAAA" };
    await expectRefused(() => parseKeyRotationRequest(body), "invalid_key");
  });
});

describe("a key rotation is refused", () => {
  const cases: readonly [string, Code, Partial<VerifyKeyRotationOptions>][] = [
    ["a second too late", "expired", { now: NOW + 301_000 }],
    ["a second too early", "not_yet_valid", { now: NOW - 301_000 }],
    ["by a clock that is not a number", "expired", { now: Number.NaN }],
    ["for another authority (G-K4)", "bad_signature", { authority: "https://authority.example" }],
    ["for another agent", "bad_signature", { agentRuntimeId: "agent_2" }],
    ["of another agent's key", "bad_signature", { currentKeys: [other.publicKey] }],
    ["of an agent without a key", "bad_signature", { currentKeys: [] }],
    [
      "by a key that was rotated away already (G-K4)",
      "bad_signature",
      { currentKeys: [other.publicKey, current.publicKey] },
    ],
    [
      "by a key that has ended",
      "bad_signature",
      { currentKeys: [other.publicKey], endedKeys: [current.publicKey] },
    ],
    [
      "to a former key that is still valid",
      "invalid_key",
      { currentKeys: [current.publicKey, next.publicKey] },
    ],
    [
      "to a key that has ended (G-K4)",
      "invalid_key",
      { currentKeys: [current.publicKey], endedKeys: [next.publicKey] },
    ],
  ];
  test.each(cases)("%s", async (_, code, options) => {
    await expectRefused(() => verify(BODY, options), code);
  });

  test.each([
    ["timestamp", { ...BODY, timestamp: "2026-03-23T12:00:01Z" }],
    ["new key", { ...BODY, agent_public_key: other.publicKey.line }],
    ["current key's signature", { ...BODY, signature: BODY.new_key_signature }],
    ["new key's signature", { ...BODY, new_key_signature: BODY.signature }],
  ])("with another %s", async (_, body) => {
    await expectRefused(() => verify(body), "bad_signature");
  });

  test("by a new key that signs for both, as soon as it is the current one", async () => {
    const body = createKeyRotationRequest(ROTATION, { current: next, next });
    await expectRefused(() => verify(body), "bad_signature");
    await expectRefused(() => verify(body, { currentKeys: [next.publicKey] }), "invalid_key");
    const both = { currentKeys: [next.publicKey, current.publicKey] };
    await expectRefused(() => verify(body, both), "invalid_key");
  });

  test("when a repetition is signed by a key that was never the agent's", async () => {
    const body = createKeyRotationRequest(ROTATION, { current: other, next });
    const options = { currentKeys: [next.publicKey], endedKeys: [current.publicKey] };
    await expectRefused(() => verify(body, options), "bad_signature");
  });
});

test("a key rotation signs this text", () => {
  expect(keyRotationText({ ...ROTATION, newPublicKey: next.publicKey })).toBe(
    `countersign-rotate-v1\nhttps://authority.example/backend-api\nagent_1\n2026-03-23T12:00:00Z\n${next.publicKey.line}`,
  );
  expect(keyRotationPath("agent_1")).toBe("/v1/agent/agent_1/key");
});

test("a key rotation holds that both keys signed, at both ends of the skew", () => {
  for (const now of [NOW - 300_000, NOW, NOW + 300_000 + 99]) {
    expect(verify(BODY, { now })).toEqual({
      formerPublicKey: current.publicKey,
      newPublicKey: next.publicKey,
      isRepetition: false,
      signedAt: Date.parse(ROTATION.timestamp),
    });
  }
  expect(parseKeyRotationRequest(BODY).compromised).toBe(false);
  const compromised = createKeyRotationRequest(ROTATION, { current, next, compromised: true });
  expect(parseKeyRotationRequest({ ...compromised, more: 1 }).compromised).toBe(true);
});

test("a rotation that was performed may be repeated, while the former key is valid and after it", () => {
  const valid = { currentKeys: [next.publicKey, current.publicKey] };
  const ended = { currentKeys: [next.publicKey], endedKeys: [current.publicKey] };
  for (const options of [valid, ended]) {
    const { isRepetition, formerPublicKey } = verify(BODY, options);
    expect({ isRepetition, formerPublicKey }).toEqual({
      isRepetition: true,
      formerPublicKey: current.publicKey,
    });
  }
});

describe("an answer to a key rotation is refused", () => {
  const answer = createKeyRotationResponse({
    agentRuntimeId: "agent_1",
    publicKey: next.publicKey,
    formerKeyEndsAt: null,
  });
  test.each([
    [null],
    [{}],
    [{ ...answer, agent_runtime_id: "../x" }],
    [{ ...answer, agent_public_key: "ssh-ed25519 AAAA" }],
    [{ ...answer, former_key_ends_at: "soon" }],
    [{ ...answer, former_key_ends_at: undefined }],
  ])("%j", async (body) => {
    await expectRefused(() => parseKeyRotationResponse(body), "bad_response");
  });
});

test("an answer to a key rotation is read as it was made", () => {
  for (const formerKeyEndsAt of [null, Date.parse("2026-03-24T12:00:00Z")]) {
    const response = { agentRuntimeId: "agent_1", publicKey: next.publicKey, formerKeyEndsAt };
    const body = { ...createKeyRotationResponse(response), extra: true };
    expect(parseKeyRotationResponse(body)).toEqual(response);
  }
});

describe("a rotation with a signer that gives promises", () => {
  const later = (key: AgentKey) => ({
    publicKey: key.publicKey,
    sign: async (message: Uint8Array) => key.sign(message),
  });

  test("is not made at once, whichever of the two it is", () => {
    for (const keys of [
      { current: later(current), next },
      { current, next: later(next) },
    ]) {
      const make = () => createKeyRotationRequest(ROTATION, keys as unknown as RotationKeys);
      expectThrow(make, AgentKeyError, "config_invalid");
    }
  });

  test("is the same body once it is waited for", async () => {
    const keys = { current: later(current), next: later(next) };
    expect(await createKeyRotationRequestAsync(ROTATION, keys)).toEqual(BODY);
  });
});
