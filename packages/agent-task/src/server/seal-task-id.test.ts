import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { AgentKey, AgentPublicKey } from "@countersign/agent-key";
import { pkcs8OfSeed } from "@countersign/testing";
import { expectThrow } from "@countersign/testing/vitest";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { codexVectors, keyVectors } from "../../test/vectors.js";
import { AgentTaskError } from "../agent-task-error.js";
import { openSealedBox } from "../open-sealed-box.js";
import { parseTaskRegistrationResponse } from "../schema/task-registration.js";
import { createTaskRegistrationResponse } from "./create-task-registration-response.js";
import { sealTaskId } from "./seal-task-id.js";
import { toX25519PublicKey } from "./x25519-public-key.js";

vi.mock(import("node:crypto"), { spy: true });

const keys = [1, 2, 3].map((fill) =>
  AgentKey.importPkcs8(pkcs8OfSeed(new Uint8Array(32).fill(fill))),
);
const pairs = keys.map((key) => ({ key, publicKey: toX25519PublicKey(key.publicKey) }));
const first = pairs[0] ?? { key: AgentKey.generate(), publicKey: new Uint8Array(32) };
const ids = fc
  .array(fc.constantFrom(..."!$&'()*+,-.0129;=@AZ[]^_`az{|}~"), { minLength: 1, maxLength: 256 })
  .map((characters) => characters.join(""))
  .filter((id) => id !== "." && id !== "..");

describe("sealTaskId", () => {
  it("rejects an id that is not valid", () => {
    for (const id of ["", "a:b", "a/b", "..", "a b", "task\n", "x".repeat(257)]) {
      expect(() => sealTaskId(id, first.publicKey)).toThrow(TypeError);
    }
  });

  it("rejects a key of another length", () => {
    for (const length of [0, 31, 33, 64]) {
      expect(() => sealTaskId("task-1", new Uint8Array(length))).toThrow(TypeError);
    }
  });

  it("rejects a key of small order", () => {
    expect(() => sealTaskId("task-1", new Uint8Array(32))).toThrow();
  });

  it("gives back every id to the holder of the key", () => {
    fc.assert(
      fc.property(ids, fc.constantFrom(...pairs), (id, pair) => {
        const body = { encrypted_task_id: sealTaskId(id, pair.publicKey) };
        expect(parseTaskRegistrationResponse(body, pair.key)).toEqual({ taskId: id });
      }),
    );
  });

  it("gives nothing to the holder of another key", () => {
    for (const pair of pairs.slice(1)) {
      const box = Buffer.from(sealTaskId("task-1", first.publicKey), "base64");
      expectThrow(() => openSealedBox(box, pair.key), AgentTaskError, "bad_response");
    }
  });

  it("makes a box that no flipped bit survives", () => {
    const box = Buffer.from(sealTaskId("task_123", first.publicKey), "base64");
    expect(box.length).toBe(56);
    for (let bit = 0; bit < box.length * 8; bit += 1) {
      const flipped = Uint8Array.from(box);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectThrow(() => openSealedBox(flipped, first.key), AgentTaskError, "bad_response");
    }
  });

  it("makes a box that cannot be cut or lengthened", () => {
    const box = Buffer.from(sealTaskId("task_123", first.publicKey), "base64");
    for (let length = 0; length < box.length; length += 1) {
      expectThrow(
        () => openSealedBox(box.subarray(0, length), first.key),
        AgentTaskError,
        "bad_response",
      );
    }
    const longer = Buffer.concat([box, Buffer.of(0)]);
    expectThrow(() => openSealedBox(longer, first.key), AgentTaskError, "bad_response");
  });

  it("never makes the same box twice", () => {
    const boxes = new Set(Array.from({ length: 20 }, () => sealTaskId("task-1", first.publicKey)));
    expect(boxes.size).toBe(20);
  });

  it("reads the key of an agent once, and no private key at all", () => {
    const publicKey = toX25519PublicKey(AgentKey.generate().publicKey);
    const reads = () =>
      vi.mocked(createPublicKey).mock.calls.filter(([key]) => !isPrivateKey(key)).length;
    vi.mocked(createPublicKey).mockClear();
    vi.mocked(createPrivateKey).mockClear();
    for (let i = 0; i < 5; i += 1) sealTaskId("task-1", publicKey);
    expect(reads()).toBe(1);
    expect(createPrivateKey).not.toHaveBeenCalled();
  });
});

describe("createTaskRegistrationResponse", () => {
  it("gives the sealed id alone, and the end where there is one", () => {
    const end = Date.UTC(2026, 3, 16);
    expect(Object.keys(createTaskRegistrationResponse({ taskId: "t" }, first.publicKey))).toEqual([
      "encrypted_task_id",
    ]);
    const body = createTaskRegistrationResponse({ taskId: "t", expiresAt: end }, first.publicKey);
    expect(parseTaskRegistrationResponse(body, first.key)).toEqual({ taskId: "t", expiresAt: end });
  });
});

describe("toX25519PublicKey", () => {
  it("gives what libsodium gives", () => {
    for (const vector of keyVectors.valid) {
      const publicKey = AgentPublicKey.parse(vector.ssh_public_key);
      expect(Buffer.from(toX25519PublicKey(publicKey)).toString("hex")).toBe(
        vector.x25519_public_key_hex,
      );
    }
    const codex = AgentPublicKey.parse(codexVectors.public_key_ssh);
    expect(Buffer.from(toX25519PublicKey(codex)).toString("hex")).toBe(
      codexVectors.x25519_public_hex,
    );
  });
});

// The public half of a one-time key is taken from its KeyObject, which reads nothing.
function isPrivateKey(key: unknown): boolean {
  return (key as Partial<KeyObject>).type === "private";
}
