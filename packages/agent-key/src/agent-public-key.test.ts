import { createHash, generateKeyPairSync } from "node:crypto";
import { propertyRuns } from "@countersign/testing/effort";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { agentKeyError, refusalOf } from "../test/agent-key-error.js";
import { INVALID_PUBLIC_KEYS, VALID_KEYS } from "../test/key-vectors.js";
import { NO_TEXTS } from "../test/no-texts.js";
import { AgentKey } from "./agent-key.js";
import { AgentPublicKey } from "./agent-public-key.js";
import { isSoundPublicKey } from "./edwards-point.js";
import { encodePkcs8 } from "./pkcs8.js";

vi.mock(import("./edwards-point.js"), { spy: true });

const L = ed25519.Point.Fn.ORDER;
const { ssh_public_key: line } = VALID_KEYS[0];
const key = AgentKey.importPkcs8(VALID_KEYS[0].private_key_pkcs8_base64);

// The same signature with another S, in little endian.
function withScalar(signature: Uint8Array, change: (s: bigint) => bigint): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`);
  const changed = Buffer.from(change(s).toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([signature.subarray(0, 32), changed]);
}

describe("AgentPublicKey.parse", () => {
  test.each(INVALID_PUBLIC_KEYS)("rejects: $name", ({ ssh_public_key }) => {
    expect(() => AgentPublicKey.parse(ssh_public_key)).toThrow(agentKeyError("invalid_key"));
  });

  test.each([
    ["a line break at the end", `${line}\n`],
    ["two lines", `${line}\n${line}`],
    ["a line break in the comment", `${line} a\nb`],
    ["a NUL in the comment", `${line} a\0b`],
    ["a comment without end", `${line} ${"a".repeat(1025)}`],
    ["two spaces", line.replace(" ", "  ")],
    ["a tab for the space", line.replace(" ", "\t")],
    ["options before the key", `no-pty ${line}`],
    ["another case", line.replace("ssh", "SSH")],
    ["base64 that is not canonical", `${line.slice(0, -1)}G`],
    ["base64url", line.replace("/", "_")],
    ["a key without end", `ssh-ed25519 ${"A".repeat(10_000_000)}`],
  ])("rejects %s", (_name, text) => {
    expect(text).not.toBe(line);
    expect(() => AgentPublicKey.parse(text)).toThrow(agentKeyError("invalid_key"));
  });

  test.each(NO_TEXTS)("rejects %s", (_name, value) => {
    const text = value as string;
    expect(() => AgentPublicKey.parse(text)).toThrow(agentKeyError("invalid_key"));
  });

  test("rejects an object whose toString is a valid line", () => {
    const object = { toString: (): string => line } as unknown as string;
    expect(() => AgentPublicKey.parse(object)).toThrow(agentKeyError("invalid_key"));
  });

  test("rejects the line with any bit of its blob's frame flipped", () => {
    const blob = Buffer.from(line.slice("ssh-ed25519 ".length), "base64");
    for (let at = 0; at < 19; at += 1) {
      const changed = Buffer.from(blob);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => AgentPublicKey.parse(`ssh-ed25519 ${changed.toString("base64")}`)).toThrow(
        agentKeyError("invalid_key"),
      );
    }
  });

  test("drops a comment", () => {
    for (const comment of ["someone@host", "two words", ""]) {
      expect(AgentPublicKey.parse(`${line} ${comment}`).line).toBe(line);
    }
  });

  test("gives back every key's line and bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const bytes = ed25519.getPublicKey(seed);
        const publicKey = AgentPublicKey.fromBytes(bytes);
        expect(publicKey.toBytes()).toEqual(Uint8Array.from(bytes));
        expect(AgentPublicKey.parse(publicKey.line).equals(publicKey)).toBe(true);
        expect(`${publicKey}`).toBe(publicKey.line);
        expect(JSON.stringify({ publicKey })).toBe(JSON.stringify({ publicKey: publicKey.line }));
      }),
    );
  });

  test("checks the key of a line once, with and without a comment", () => {
    const { line: fresh } = AgentKey.generate().publicKey;
    vi.mocked(isSoundPublicKey).mockClear();
    const first = AgentPublicKey.parse(fresh);
    expect(AgentPublicKey.parse(fresh)).toBe(first);
    expect(AgentPublicKey.parse(`${fresh} someone@host`)).toBe(first);
    expect(isSoundPublicKey).toHaveBeenCalledTimes(1);
  });

  test("checks a key that is not sound each time", () => {
    const blob = Buffer.from(line.slice("ssh-ed25519 ".length), "base64").fill(0, 19);
    const unsound = `ssh-ed25519 ${blob.toString("base64")}`;
    vi.mocked(isSoundPublicKey).mockClear();
    for (let i = 0; i < 3; i += 1) {
      expect(() => AgentPublicKey.parse(unsound)).toThrow(agentKeyError("invalid_key"));
    }
    expect(isSoundPublicKey).toHaveBeenCalledTimes(3);
  });

  test("gives a key that many share and none can change", () => {
    const shared = AgentPublicKey.parse(line);
    expect(() => Object.assign(shared, { line: "ssh-ed25519 other" })).toThrow(TypeError);
    expect(() => Object.assign(shared, { verify: () => true })).toThrow(TypeError);
    expect(AgentPublicKey.parse(line).line).toBe(line);
  });

  test("keeps at most 5,000 keys, those that were parsed last", () => {
    vi.mocked(isSoundPublicKey).mockClear();
    vi.mocked(isSoundPublicKey).mockReturnValue(true);
    const bytes = Buffer.alloc(32);
    const lineOf = (i: number) => {
      bytes.writeUInt32LE(i, 8);
      return AgentPublicKey.fromBytes(bytes).line;
    };
    const lines = Array.from({ length: 5001 }, (_, i) => lineOf(i));
    vi.mocked(isSoundPublicKey).mockClear();
    for (const each of lines.slice(0, 5000)) AgentPublicKey.parse(each);
    AgentPublicKey.parse(lines[0] ?? "");
    AgentPublicKey.parse(lines[5000] ?? "");
    AgentPublicKey.parse(lines[0] ?? "");
    expect(isSoundPublicKey).toHaveBeenCalledTimes(5001);
    AgentPublicKey.parse(lines[1] ?? "");
    expect(isSoundPublicKey).toHaveBeenCalledTimes(5002);
    vi.mocked(isSoundPublicKey).mockReset();
  });

  test("refuses or takes any text without another error", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 120 }), (text) => {
        expect(refusalOf(() => AgentPublicKey.parse(`ssh-ed25519 ${text}`)).code).toBe(
          "invalid_key",
        );
      }),
    );
  });
});

describe("AgentPublicKey.fromBytes", () => {
  test.each(ED25519_TORSION_SUBGROUP)("rejects the point of small order %s", (hex) => {
    expect(() => AgentPublicKey.fromBytes(Buffer.from(hex, "hex"))).toThrow(
      agentKeyError("invalid_key"),
    );
  });

  test("rejects the key under which one constant signature holds for every text (G-K2)", () => {
    // Under the identity point, S = 0 and R = the identity satisfy the equation for every text. Some OpenSSL versions take it.
    const identity = Buffer.alloc(32);
    identity[0] = 1;
    const constant = Buffer.concat([identity, Buffer.alloc(32)]);
    for (const text of ["any text", "any other"]) {
      expect(ed25519.verify(constant, Buffer.from(text), identity, { zip215: true })).toBe(true);
    }
    expect(() => AgentPublicKey.fromBytes(identity)).toThrow(agentKeyError("invalid_key"));
    expect(key.publicKey.verify("any text", constant)).toBe(false);
  });

  test("keeps its own copy and gives copies away", () => {
    const bytes = key.publicKey.toBytes();
    const publicKey = AgentPublicKey.fromBytes(bytes);
    bytes.fill(0);
    publicKey.toBytes().fill(0);
    expect(publicKey.line).toBe(line);
    expect(publicKey.toBytes()).toEqual(key.publicKey.toBytes());
    expect(publicKey.verify("text", key.sign("text"))).toBe(true);
  });
});

describe("AgentPublicKey.verify", () => {
  const signature = key.sign("text");

  test("rejects S + L, S + 2L and S = L, which the equation alone would not tell apart (G-K7)", () => {
    for (const change of [(s: bigint) => s + L, (s: bigint) => s + 2n * L, () => L, () => L + 1n]) {
      expect(key.publicKey.verify("text", withScalar(signature, change))).toBe(false);
    }
    expect(
      key.publicKey.verify(
        "text",
        withScalar(signature, (s) => s),
      ),
    ).toBe(true);
  });

  test("rejects a signature whose first half is the identity, which its owner can make hold", () => {
    const identity = Buffer.alloc(32);
    identity[0] = 1;
    const seed = Buffer.from(VALID_KEYS[0].private_key_pkcs8_base64, "base64").subarray(-32);
    const { scalar } = ed25519.utils.getExtendedPublicKey(seed);
    const publicKey = key.publicKey.toBytes();
    const hash = createHash("sha512").update(identity).update(publicKey).update("text").digest();
    const challenge = BigInt(`0x${hash.reverse().toString("hex")}`);
    const s = ((challenge * scalar) % L).toString(16).padStart(64, "0");
    const made = Buffer.concat([identity, Buffer.from(s, "hex").reverse()]);
    // The equation holds, so that this is not refused by chance.
    expect(ed25519.verify(made, Buffer.from("text"), publicKey, { zip215: true })).toBe(true);
    expect(key.publicKey.verify("text", made)).toBe(false);
  });

  test.each([0, 32, 63, 65, 128])("rejects a signature of %d bytes", (length) => {
    const other = Buffer.concat([signature, signature]).subarray(0, length);
    expect(key.publicKey.verify("text", other)).toBe(false);
  });

  test("rejects a signature with any bit flipped", () => {
    for (let bit = 0; bit < 512; bit += 1) {
      const changed = Uint8Array.from(signature);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(key.publicKey.verify("text", changed)).toBe(false);
    }
  });

  test("rejects another text and another key", () => {
    expect(key.publicKey.verify("text ", signature)).toBe(false);
    expect(key.publicKey.verify("", signature)).toBe(false);
    expect(AgentPublicKey.parse(VALID_KEYS[2].ssh_public_key).verify("text", signature)).toBe(
      false,
    );
  });

  test("agrees with @noble/curves on good and changed signatures", () => {
    const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 60 }), fc.nat(600), (seed, message, bit) => {
        const publicKey = AgentPublicKey.fromBytes(ed25519.getPublicKey(seed));
        const changed = Uint8Array.from(ed25519.sign(message, seed));
        if (bit < 512) changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const strict = { zip215: false };
        expect(publicKey.verify(message, changed)).toBe(
          ed25519.verify(changed, message, publicKey.toBytes(), strict),
        );
      }),
      { numRuns: propertyRuns(100) },
    );
  });
});

// RFC 8032 §7.1, tests 1 to 3.
describe("RFC 8032", () => {
  test.each([
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ])("seed %.8s…", (seed, publicKey, message, signature) => {
    const own = AgentKey.importPkcs8(encodePkcs8(Buffer.from(seed, "hex")));
    expect(Buffer.from(own.publicKey.toBytes()).toString("hex")).toBe(publicKey);
    expect(Buffer.from(own.sign(Buffer.from(message, "hex"))).toString("hex")).toBe(signature);
    expect(own.publicKey.verify(Buffer.from(message, "hex"), Buffer.from(signature, "hex"))).toBe(
      true,
    );
  });
});

describe("AgentPublicKey.ofPrivateKey", () => {
  test.each(["x25519", "ed448", "ec"] as const)("rejects a private key of type %s", (type) => {
    const { privateKey } = generateKeyPairSync(type as "x25519", { namedCurve: "P-256" } as object);
    expect(refusalOf(() => AgentPublicKey.ofPrivateKey(privateKey))).toEqual(
      agentKeyError("invalid_key"),
    );
  });
});
