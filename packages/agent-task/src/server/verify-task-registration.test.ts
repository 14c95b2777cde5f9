import { AgentKey, AgentKeyError, formatTimestamp } from "@countersign/agent-key";
import { expectThrow } from "@countersign/testing/vitest";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codexVectors, taskRegistrationVectors } from "../../test/vectors.js";
import { AgentTaskError } from "../agent-task-error.js";
import { parseTaskRegistrationRequest } from "../schema/task-registration-request.js";
import {
  plainTaskRegistrationText,
  signPlainTaskRegistration,
  signPlainTaskRegistrationAsync,
} from "../sign/sign-plain-task-registration.js";
import {
  signTaskRegistration,
  signTaskRegistrationAsync,
  taskRegistrationText,
} from "../sign/sign-task-registration.js";
import { verifyTaskRegistration } from "./verify-task-registration.js";

const now = Date.UTC(2026, 3, 15, 17, 8, 9);
const key = AgentKey.generate();
const other = AgentKey.generate();
const agentRuntimeId = "agent-runtime-1";

describe("parseTaskRegistrationRequest", () => {
  it("rejects every other form", () => {
    const good = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now));
    const bad: unknown[] = [
      null,
      [],
      "text",
      {},
      { timestamp: good.timestamp },
      { signature: good.signature },
      { ...good, signature: 7 },
      { ...good, signature: good.signature.replace(/=+$/, "") },
      { ...good, signature: Buffer.from(good.signature, "base64").toString("base64url") },
      { ...good, signature: `${good.signature.slice(0, -3)}B==` },
      { ...good, signature: Buffer.alloc(63).toString("base64") },
      { ...good, signature: Buffer.alloc(65).toString("base64") },
      { ...good, timestamp: "2026-04-15T17:08:09.000Z" },
      { ...good, timestamp: "2026-04-15T17:08:09+00:00" },
      { ...good, timestamp: "2026-02-30T00:00:00Z" },
      { ...good, timestamp: now },
      { ...good, plain_task_id: false },
      { ...good, plain_task_id: null },
      { ...good, plain_task_id: "true" },
    ];
    for (const body of bad) {
      expectThrow(() => parseTaskRegistrationRequest(body), AgentTaskError, "invalid_request");
    }
  });

  it("never throws another error", () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        expectThrow(() => parseTaskRegistrationRequest(body), AgentTaskError, "invalid_request");
      }),
    );
  });

  it("takes a request with members that it does not know", () => {
    const good = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now));
    expect(parseTaskRegistrationRequest({ ...good, version: 2 })).toEqual(good);
  });
});

describe("verifyTaskRegistration", () => {
  it("rejects a request of 301 seconds ago, and takes one of 300", () => {
    const old = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now - 301_000));
    const keys = [key.publicKey];
    expectThrow(
      () => verifyTaskRegistration(old, agentRuntimeId, keys, { now }),
      AgentTaskError,
      "expired",
    );
    const edge = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now - 300_000));
    expect(verifyTaskRegistration(edge, agentRuntimeId, keys, { now: now + 999 }).signedAt).toBe(
      now - 300_000,
    );
  });

  it("rejects a request of 301 seconds ahead, and takes one of 300", () => {
    const early = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now + 301_000));
    const keys = [key.publicKey];
    expectThrow(
      () => verifyTaskRegistration(early, agentRuntimeId, keys, { now }),
      AgentTaskError,
      "not_yet_valid",
    );
    const edge = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now + 300_000));
    expect(verifyTaskRegistration(edge, agentRuntimeId, keys, { now }).signedAt).toBe(
      now + 300_000,
    );
  });

  it("rejects everything if the clock returns no number", () => {
    const request = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now));
    expectThrow(
      () => verifyTaskRegistration(request, agentRuntimeId, [key.publicKey], { now: Number.NaN }),
      AgentTaskError,
      "expired",
    );
  });

  it("rejects another key, another agent, another time and no key at all", () => {
    const request = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now));
    const moved = { ...request, timestamp: formatTimestamp(now + 1000) };
    const attempts = [
      () => verifyTaskRegistration(request, agentRuntimeId, [other.publicKey], { now }),
      () => verifyTaskRegistration(request, "agent-runtime-2", [key.publicKey], { now }),
      () => verifyTaskRegistration(moved, agentRuntimeId, [key.publicKey], { now }),
      () => verifyTaskRegistration(request, agentRuntimeId, [], { now }),
    ];
    for (const attempt of attempts) expectThrow(attempt, AgentTaskError, "bad_signature");
  });

  it("rejects a signature with any bit flipped", () => {
    const request = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now));
    const signature = Buffer.from(request.signature, "base64");
    for (let bit = 0; bit < 512; bit += 1) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const body = { ...request, signature: flipped.toString("base64") };
      expectThrow(
        () => verifyTaskRegistration(body, agentRuntimeId, [key.publicKey], { now }),
        AgentTaskError,
        "bad_signature",
      );
    }
  });

  it("names the key that signed, old or new", () => {
    const keys = [other.publicKey, key.publicKey];
    const request = signTaskRegistration(agentRuntimeId, key, formatTimestamp(now));
    const verified = verifyTaskRegistration(request, agentRuntimeId, keys, { now });
    expect(verified.publicKey.equals(key.publicKey)).toBe(true);
  });
});

describe("a plain task registration", () => {
  const authority = "https://authority.example";
  const idempotencyKey = "key-1";
  const timestamp = formatTimestamp(now);
  const registration = { authority, agentRuntimeId, timestamp, idempotencyKey };
  const keys = [key.publicKey];

  it("is signed over five lines, the last of which is empty without an Idempotency-Key", () => {
    const text = "countersign-plain-task-v1\nhttps://authority.example\nagent-runtime-1\n";
    expect(plainTaskRegistrationText(registration)).toBe(`${text}2026-04-15T17:08:09Z\nkey-1`);
    const without = { ...registration, idempotencyKey: undefined };
    expect(plainTaskRegistrationText(without)).toBe(`${text}2026-04-15T17:08:09Z\n`);
  });

  it("is the same with a signer that gives a promise, which is never written into it", async () => {
    const later = { publicKey: key.publicKey, sign: async (text: Uint8Array) => key.sign(text) };
    const body = await signPlainTaskRegistrationAsync(registration, later);
    expect(body).toEqual(signPlainTaskRegistration(registration, key));
    expectThrow(
      () => signPlainTaskRegistration(registration, later as unknown as AgentKey),
      AgentKeyError,
      "config_invalid",
    );
    expect(parseTaskRegistrationRequest({ ...body, version: 2 })).toEqual(body);
  });

  it("does not hold where the checker answers no plain task id, or for another authority or Idempotency-Key", () => {
    const request = signPlainTaskRegistration(registration, key);
    const plain = { authority, idempotencyKey };
    for (const other of [
      undefined,
      { authority },
      { ...plain, idempotencyKey: "key-2" },
      { ...plain, authority: "https://other.example" },
    ]) {
      expectThrow(
        () => verifyTaskRegistration(request, agentRuntimeId, keys, { now, plain: other }),
        AgentTaskError,
        "bad_signature",
      );
    }
    const options = { now, plain };
    expect(verifyTaskRegistration(request, agentRuntimeId, keys, options).signedAt).toBe(now);
  });

  it("does not hold without its member, nor a sealed one with it", () => {
    const options = { now, plain: { authority, idempotencyKey } };
    const { plain_task_id: _, ...removed } = signPlainTaskRegistration(registration, key);
    const added = { ...signTaskRegistration(agentRuntimeId, key, timestamp), plain_task_id: true };
    for (const body of [removed, added]) {
      const request = parseTaskRegistrationRequest(body);
      expectThrow(
        () => verifyTaskRegistration(request, agentRuntimeId, keys, options),
        AgentTaskError,
        "bad_signature",
      );
    }
  });
});

describe("signTaskRegistration", () => {
  it("makes nothing at once of a signer that gives a promise, and the same once it is waited for", async () => {
    const timestamp = formatTimestamp(now);
    const later = { publicKey: key.publicKey, sign: async (text: Uint8Array) => key.sign(text) };
    expectThrow(
      () => signTaskRegistration(agentRuntimeId, later as unknown as AgentKey, timestamp),
      AgentKeyError,
      "config_invalid",
    );
    expect(await signTaskRegistrationAsync(agentRuntimeId, later, timestamp)).toEqual(
      signTaskRegistration(agentRuntimeId, key, timestamp),
    );
  });

  it("gives the bytes of the vectors", () => {
    expect(taskRegistrationVectors.requests.length).toBeGreaterThan(0);
    for (const vector of taskRegistrationVectors.requests) {
      const agentKey = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
      expect(taskRegistrationText(vector.agent_runtime_id, vector.timestamp)).toBe(
        vector.signed_text,
      );
      const request = signTaskRegistration(vector.agent_runtime_id, agentKey, vector.timestamp);
      expect(request).toEqual({ signature: vector.signature, timestamp: vector.timestamp });
      const verified = verifyTaskRegistration(
        parseTaskRegistrationRequest(request),
        vector.agent_runtime_id,
        [agentKey.publicKey],
        { now: Date.parse(vector.timestamp) },
      );
      expect(verified.publicKey.equals(agentKey.publicKey)).toBe(true);
    }
  });

  it("gives the bytes of Codex", () => {
    const [id, ...timestamp] = codexVectors.task_registration.payload.split(":");
    const agentKey = AgentKey.importPkcs8(codexVectors.pkcs8_v2_b64);
    expect(signTaskRegistration(id ?? "", agentKey, timestamp.join(":")).signature).toBe(
      codexVectors.task_registration.signature,
    );
  });
});
