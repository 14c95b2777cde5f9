import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentKeyError } from "../../test/agent-key-error.js";
import { AgentKey } from "../agent-key.js";
import { encodeBase64 } from "../base64.js";
import { encodePkcs8 } from "../pkcs8.js";
import { contentDigest } from "./content-digest.js";
import { type SignMessageInput, signMessage } from "./sign-message.js";
import { signatureBase, signatureParameters } from "./signature-base.js";

// RFC 9421 B.1.4, test-key-ed25519.
const RFC_KEY = AgentKey.importPkcs8(
  "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF",
);

const INPUT = {
  key: RFC_KEY,
  keyid: "agent-123",
  tag: "agent-assertion",
  created: 1_618_884_473,
  nonce: "AAECAwQFBgcICQoLDA0ODw",
  components: [
    ["@method", "POST"],
    ["@target-uri", "https://example.com/foo?param=Value&Pet=dog"],
  ],
} as const satisfies SignMessageInput;

describe("signatureParameters and signatureBase", () => {
  test.each([
    ["an empty name", [""]],
    ["a name in upper case", ["Date"]],
    ["a name with a quote", ['da"te']],
    ["a name twice", ["date", "date"]],
  ])("refuse %s", (_, names) => {
    expect(() => signatureParameters(names, { created: 1, keyid: "k" })).toThrow(
      agentKeyError("invalid_request"),
    );
  });

  test.each([-1, 1.5, Number.NaN, 1e15])("refuse %d as created", (created) => {
    expect(() => signatureParameters(["date"], { created, keyid: "k" })).toThrow(
      agentKeyError("invalid_request"),
    );
  });

  test.each(["k\n", "clé", "\u0000"])("refuse the keyid %j", (keyid) => {
    expect(() => signatureParameters(["date"], { created: 1, keyid })).toThrow(
      agentKeyError("invalid_request"),
    );
  });

  test.each(["a\nb", "a\r\nb", "é", "\u007f"])("refuse the value %j", (value) => {
    expect(() => signatureBase([["date", value]], '("date")')).toThrow(
      agentKeyError("invalid_request"),
    );
  });

  test("escape quotes and backslashes in parameters", () => {
    expect(signatureParameters([], { created: 0, keyid: 'a"b\\c' })).toBe(
      '();created=0;keyid="a\\"b\\\\c"',
    );
  });

  test("give the example of RFC 9421 B.2.6, and with its key its signature", () => {
    const components = [
      ["date", "Tue, 20 Apr 2021 02:07:55 GMT"],
      ["@method", "POST"],
      ["@path", "/foo"],
      ["@authority", "example.com"],
      ["content-type", "application/json"],
      ["content-length", "18"],
    ] as const;
    const names = components.map(([name]) => name);
    const parameters = signatureParameters(names, {
      created: 1_618_884_473,
      keyid: "test-key-ed25519",
    });
    expect(parameters).toBe(
      '("date" "@method" "@path" "@authority" "content-type" "content-length")' +
        ';created=1618884473;keyid="test-key-ed25519"',
    );
    const base = signatureBase(components, parameters);
    expect(base).toBe(
      [
        '"date": Tue, 20 Apr 2021 02:07:55 GMT',
        '"@method": POST',
        '"@path": /foo',
        '"@authority": example.com',
        '"content-type": application/json',
        '"content-length": 18',
        `"@signature-params": ${parameters}`,
      ].join("\n"),
    );
    expect(encodeBase64(RFC_KEY.sign(base))).toBe(
      "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
    );
  });
});

describe("contentDigest", () => {
  test("gives the example of RFC 9530 B.1 and the digest of an empty body", () => {
    // Appendix B.1: a body of {"hello": "world"} and a line feed.
    expect(contentDigest(Buffer.from('{"hello": "world"}\n'))).toBe(
      "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
    );
    expect(contentDigest(new Uint8Array())).toBe(
      "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    );
  });
});

describe("signMessage", () => {
  test.each<[string, object]>([
    ["whose signature is a promise", { signText: async (text: string) => RFC_KEY.signText(text) }],
    ["that has no signature at once", { sign: async () => RFC_KEY.sign("text") }],
  ])("makes nothing of a key %s", (_, signer) => {
    const key = { publicKey: RFC_KEY.publicKey, ...signer } as unknown as AgentKey;
    expect(() => signMessage({ ...INPUT, key })).toThrow(agentKeyError("config_invalid"));
  });

  test.each([
    ["a value with a line break", { components: [["@method", 'GET\n"x": y']] }],
    ["a nonce with a line break", { nonce: "a\nb" }],
    ["a keyid beyond ASCII", { keyid: "é" }],
  ] as const)("refuses %s", (_, wrong) => {
    expect(() => signMessage({ ...INPUT, ...wrong })).toThrow(agentKeyError("invalid_request"));
  });

  test("writes the tag as label, and parameters in a fixed order", () => {
    expect(signMessage(INPUT).signatureInput).toBe(
      'agent-assertion=("@method" "@target-uri");created=1618884473' +
        ';keyid="agent-123";nonce="AAECAwQFBgcICQoLDA0ODw";tag="agent-assertion"',
    );
  });

  test("takes 16 random bytes as nonce, new ones each time", () => {
    const nonces = Array.from({ length: 20 }, () => {
      const { signatureInput } = signMessage({ ...INPUT, nonce: undefined });
      return /;nonce="([A-Za-z0-9_-]{22})";/.exec(signatureInput)?.[1];
    });
    expect(nonces).not.toContain(undefined);
    expect(new Set(nonces).size).toBe(20);
  });

  test("makes signatures that hold under another implementation of Ed25519", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.string({ unit: "grapheme-ascii" }),
        fc.nat(),
        (seed, value, created) => {
          const key = AgentKey.importPkcs8(encodePkcs8(seed));
          const components = [["@target-uri", value]] as const;
          const made = signMessage({ ...INPUT, key, created, components });
          const label = "agent-assertion=";
          const parameters = made.signatureInput.slice(label.length);
          const encoded = made.signature.slice(`${label}:`.length, -1);
          const signed = Buffer.from(`"@target-uri": ${value}\n"@signature-params": ${parameters}`);
          expect(
            ed25519.verify(Buffer.from(encoded, "base64"), signed, key.publicKey.toBytes()),
          ).toBe(true);
        },
      ),
    );
  });
});
