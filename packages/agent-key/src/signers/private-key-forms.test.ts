import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
} from "node:crypto";
import { expectThrow } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentKey } from "../agent-key.js";
import { AgentKeyError } from "../agent-key-error.js";
import { pkcs8FromJwk, pkcs8FromKeyObject, pkcs8FromPem } from "./private-key-forms.js";

const SECRET_SEED = Buffer.alloc(32, 7);
const key = AgentKey.importPkcs8(
  Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), SECRET_SEED]).toString(
    "base64",
  ),
);
const keyObject = createPrivateKey({
  key: Buffer.from(key.exportPkcs8(), "base64"),
  format: "der",
  type: "pkcs8",
});
const pem = keyObject.export({ format: "pem", type: "pkcs8" }) as string;
const jwk = keyObject.export({ format: "jwk" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const x25519 = generateKeyPairSync("x25519").privateKey;
const pkcs8Pem = (other: typeof rsa) => other.export({ format: "pem", type: "pkcs8" }) as string;

function expectInvalid(read: () => unknown, says: RegExp): void {
  const error = expectThrow(read, AgentKeyError, "invalid_key");
  expect(error.message).toMatch(says);
  // Neither the seed nor a line of the PEM is repeated.
  const shown = `${error.message} ${error.hint} ${error.stack} ${String(error.cause)}`;
  expect(shown).not.toContain(SECRET_SEED.toString("base64").slice(0, 20));
  expect(shown).not.toContain(SECRET_SEED.toString("base64url").slice(0, 20));
}

const fromPem = (text: string) => AgentKey.importPkcs8(pkcs8FromPem(text));
const fromJwk = (value: object) => AgentKey.importPkcs8(pkcs8FromJwk(value));
const fromKeyObject = (object: typeof keyObject) =>
  AgentKey.importPkcs8(pkcs8FromKeyObject(object));

describe("pkcs8FromPem", () => {
  test.each<[string, string, RegExp]>([
    [
      "a key under a password",
      keyObject.export({
        format: "pem",
        type: "pkcs8",
        cipher: "aes-256-cbc",
        passphrase: "x",
      }) as string,
      /encrypted with a password/,
    ],
    [
      "a public key",
      createPublicKey(keyObject).export({ format: "pem", type: "spki" }) as string,
      /public key alone/,
    ],
    ["an RSA key", pkcs8Pem(rsa), /type rsa/],
    [
      "an RSA key of PKCS#1",
      rsa.export({ format: "pem", type: "pkcs1" }) as string,
      /RSA PRIVATE KEY/,
    ],
    ["a key of P-256", pkcs8Pem(ec), /type ec/],
    ["an X25519 key", pkcs8Pem(x25519), /type x25519/],
    [
      "an OpenSSH file",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
      /OpenSSH/,
    ],
    ["two keys", pem + pem, /not one PEM block/],
    ["a key with a text before it", `Bag Attributes\n${pem}`, /not one PEM block/],
    ["a key that was cut off", pem.slice(0, 80), /not one PEM block/],
    ["a body that is cut off", pem.replace(/.{8}\n-----END/, "\n-----END"), /PKCS#8/],
    ["base64 alone", key.exportPkcs8(), /not one PEM block/],
    ["nothing", "", /not one PEM block/],
    ["no text", undefined as unknown as string, /not one PEM block/],
  ])("refuses %s", (_, text, says) => {
    expectInvalid(() => fromPem(text), says);
  });

  test("reads PKCS#8, with either end of lines", () => {
    expect(fromPem(pem).publicKey.line).toBe(key.publicKey.line);
    expect(fromPem(pem.replaceAll("\n", "\r\n")).exportPkcs8()).toBe(key.exportPkcs8());
  });
});

describe("pkcs8FromJwk", () => {
  test.each<[string, object, RegExp]>([
    ["a public key", { ...jwk, d: undefined }, /public key alone/],
    ["another curve", { ...jwk, crv: "Ed448" }, /another type/],
    ["an X25519 key", x25519.export({ format: "jwk" }), /another type/],
    ["a key of P-256", ec.export({ format: "jwk" }), /another type/],
    ["a symmetric key", { kty: "oct", k: "AAAA" }, /another type/],
    ["the public half of another key", { ...jwk, x: publicHalf() }, /another private key/],
    ["no public half", { ...jwk, x: undefined }, /member x/],
    ["a short private half", { ...jwk, d: "AAAA" }, /member d/],
    ["a padded private half", { ...jwk, d: `${jwk.d}=` }, /member d/],
    ["a private half that is no text", { ...jwk, d: 7 }, /member d/],
    ["a key for encryption", { ...jwk, use: "enc" }, /not for Ed25519 signatures/],
    ["a key for checking alone", { ...jwk, key_ops: ["verify"] }, /not for Ed25519 signatures/],
    ["another algorithm", { ...jwk, alg: "RS256" }, /not for Ed25519 signatures/],
    ["a list", [], /another type/],
    ["null", null as unknown as object, /must be an object/],
    ["a text", JSON.stringify(jwk) as unknown as object, /must be an object/],
  ])("refuses %s", (_, value, says) => {
    expectInvalid(() => fromJwk(value), says);
  });

  test("takes what node:crypto and WebCrypto export", () => {
    expect(fromJwk(jwk).exportPkcs8()).toBe(key.exportPkcs8());
    const exported = { ...jwk, key_ops: ["sign"], ext: true, alg: "EdDSA", use: "sig" };
    expect(fromJwk(exported).publicKey.line).toBe(key.publicKey.line);
  });
});

describe("pkcs8FromKeyObject", () => {
  test.each<[string, unknown, RegExp]>([
    ["a public key", createPublicKey(keyObject), /public key alone/],
    ["an RSA key", rsa, /type rsa/],
    ["an X25519 key", x25519, /type x25519/],
    ["a secret", createSecretKey(SECRET_SEED), /type secret/],
    ["a JWK", jwk, /not a KeyObject/],
    ["nothing", undefined, /not a KeyObject/],
  ])("refuses %s", (_, value, says) => {
    expectInvalid(() => fromKeyObject(value as typeof keyObject), says);
  });

  test("takes an Ed25519 private key", () => {
    expect(fromKeyObject(keyObject).exportPkcs8()).toBe(key.exportPkcs8());
  });
});

function publicHalf(): string {
  return Buffer.from(AgentKey.generate().publicKey.toBytes()).toString("base64url");
}
