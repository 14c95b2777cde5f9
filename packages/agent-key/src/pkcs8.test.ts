import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentKeyError, refusalOf } from "../test/agent-key-error.js";
import { INVALID_KEYS, VALID_KEYS } from "../test/key-vectors.js";
import { AgentKey } from "./agent-key.js";
import { encodePkcs8, parsePkcs8 } from "./pkcs8.js";

const [version1, version2] = VALID_KEYS.map((key) => key.private_key_pkcs8_base64);

function der(text: string | undefined): Buffer {
  return Buffer.from(text ?? "", "base64");
}

function otherKey(type: "ec" | "ed448" | "rsa" | "x25519"): string {
  const { privateKey } =
    type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 1024 })
      : type === "ec"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : type === "ed448"
          ? generateKeyPairSync("ed448")
          : generateKeyPairSync("x25519");
  return privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
}

describe("AgentKey.importPkcs8", () => {
  test.each(INVALID_KEYS)("rejects: $name", ({ private_key_pkcs8_base64 }) => {
    expect(() => AgentKey.importPkcs8(private_key_pkcs8_base64)).toThrow(
      agentKeyError("invalid_key"),
    );
  });

  test.each(["ec", "ed448", "rsa", "x25519"] as const)("rejects a key of type %s", (type) => {
    expect(() => AgentKey.importPkcs8(otherKey(type))).toThrow(agentKeyError("invalid_key"));
  });

  test.each([undefined, null, 7, {}])("rejects %o", (value) => {
    const text = value as unknown as string;
    expect(() => AgentKey.importPkcs8(text)).toThrow(agentKeyError("invalid_key"));
  });

  test("rejects white space, another alphabet and missing padding around a good key", () => {
    const good = version2 ?? "";
    for (const text of [
      `${good}\n`,
      ` ${good}`,
      good.replace("=", ""),
      good.replaceAll("+", "-"),
    ]) {
      expect(text).not.toBe(good);
      expect(() => AgentKey.importPkcs8(text)).toThrow(agentKeyError("invalid_key"));
    }
  });

  test.each([
    ["1", version1, [...Array(16).keys()]],
    ["2", version2, [...Array(16).keys(), 48, 49, 50]],
  ])("rejects version %s with any bit of its frame flipped", (_version, text, frame) => {
    for (const at of frame) {
      for (let bit = 0; bit < 8; bit += 1) {
        const bytes = der(text);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        expect(() => AgentKey.importPkcs8(bytes.toString("base64"))).toThrow(
          agentKeyError("invalid_key"),
        );
      }
    }
  });

  test("rejects version 2 with any bit of its public half flipped (G-K3)", () => {
    for (let at = 51; at < 83; at += 1) {
      const bytes = der(version2);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(() => AgentKey.importPkcs8(bytes.toString("base64"))).toThrow(
        agentKeyError("invalid_key"),
      );
    }
  });

  test("rejects every shorter part of a good key", () => {
    for (const text of [version1, version2]) {
      for (let length = 0; length < der(text).length; length += 1) {
        // The first 48 bytes of version 2 are not version 1 either: its version number and outer length say otherwise.
        const part = der(text).subarray(0, length).toString("base64");
        expect(() => AgentKey.importPkcs8(part)).toThrow(agentKeyError("invalid_key"));
      }
    }
  });

  test("rejects bytes after either version (G-K3)", () => {
    for (const text of [version1, version2]) {
      const longer = Buffer.concat([der(text), Buffer.alloc(1)]).toString("base64");
      expect(() => parsePkcs8(longer)).toThrow(agentKeyError("invalid_key"));
    }
  });

  test("never repeats any of the input in its error, nor in the causes of it (G-K1)", () => {
    const mismatch = der(version2);
    mismatch[82] = (mismatch[82] ?? 0) ^ 1;
    for (const text of [`${version1}!`, version1?.slice(4), mismatch.toString("base64")]) {
      let error: unknown = refusalOf(() => AgentKey.importPkcs8(text ?? ""));
      while (error instanceof Error) {
        expect(`${error.message}${JSON.stringify(error)}`).not.toContain(text?.slice(24, 34));
        error = error.cause;
      }
    }
  });

  test("takes or refuses any bytes without another error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(() => parsePkcs8(Buffer.from(bytes).toString("base64"))).toThrow(
          agentKeyError("invalid_key"),
        );
      }),
    );
  });
});

describe("good keys", () => {
  test.each(VALID_KEYS)("gives what the vector says: $name", (vector) => {
    const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
    expect(key.publicKey.line).toBe(vector.ssh_public_key);
    const x25519 = key.toX25519PrivateKey().export({ format: "jwk" });
    expect(Buffer.from(x25519.d ?? "", "base64url").toString("hex")).toBe(
      vector.x25519_private_key_hex,
    );
    expect(Buffer.from(x25519.x ?? "", "base64url").toString("hex")).toBe(
      vector.x25519_public_key_hex,
    );
  });

  test("are written as version 1, whatever they were read from", () => {
    for (const vector of VALID_KEYS) {
      const written = AgentKey.importPkcs8(vector.private_key_pkcs8_base64).exportPkcs8();
      expect(der(written)).toHaveLength(48);
      expect(AgentKey.importPkcs8(written).publicKey.line).toBe(vector.ssh_public_key);
    }
    expect(AgentKey.importPkcs8(version2 ?? "").exportPkcs8()).toBe(version1);
  });

  test("come back as they were, as Node reads and writes them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const text = encodePkcs8(seed);
        expect(Uint8Array.from(parsePkcs8(text).seed)).toEqual(seed);
        const node = createPrivateKey({ key: der(text), format: "der", type: "pkcs8" });
        expect(node.export({ format: "der", type: "pkcs8" }).toString("base64")).toBe(text);
      }),
    );
  });
});
