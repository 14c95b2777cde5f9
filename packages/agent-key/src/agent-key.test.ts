import { Console } from "node:console";
import { createHmac } from "node:crypto";
import { Writable } from "node:stream";
import { format, inspect } from "node:util";
import { propertyRuns } from "@countersign/testing/effort";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VALID_KEYS } from "../test/key-vectors.js";
import { AgentKey } from "./agent-key.js";
import { AgentPublicKey } from "./agent-public-key.js";
import { encodePkcs8 } from "./pkcs8.js";

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const fromSeed = (seed: Uint8Array) => AgentKey.importPkcs8(encodePkcs8(seed));

describe("AgentKey.generate", () => {
  test("gives a new key each time", () => {
    const lines = Array.from({ length: 20 }, () => AgentKey.generate().publicKey.line);
    expect(new Set(lines).size).toBe(20);
  });
});

describe("an agent key", () => {
  test("has a public half that holds every check of a parsed one", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { publicKey } = fromSeed(seed);
        expect(AgentPublicKey.fromBytes(publicKey.toBytes()).line).toBe(publicKey.line);
      }),
    );
  });

  test("signs as @noble/curves does, texts as UTF-8", () => {
    fc.assert(
      fc.property(seeds, fc.string({ unit: "grapheme" }), (seed, text) => {
        const key = fromSeed(seed);
        const expected = ed25519.sign(Buffer.from(text, "utf8"), seed);
        expect(Uint8Array.from(key.sign(text))).toEqual(expected);
        expect(Uint8Array.from(key.sign(Buffer.from(text, "utf8")))).toEqual(expected);
        expect(key.signText(text)).toBe(Buffer.from(expected).toString("base64"));
        expect(key.publicKey.toBytes()).toEqual(ed25519.getPublicKey(seed));
        expect(key.publicKey.verify(text, key.sign(text))).toBe(true);
      }),
    );
  });

  test("signs as Codex 0.122 does", () => {
    const key = fromSeed(new Uint8Array(32).fill(7));
    expect(key.signText("agent-123:task-123:2026-03-23T12:00:00Z")).toBe(
      "lv4xNnetSaVMQ5uGvYBgsWep7dYiZG1Ma7X2VSsgKLPptZjVdIkVzqactb8OYXtPpiqBvdMF6ryj7TQCbq2qAQ==",
    );
  });

  test("becomes the X25519 key that @noble/curves makes of it, once", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const key = fromSeed(seed);
        const { d, x } = key.toX25519PrivateKey().export({ format: "jwk" });
        const secret = Buffer.from(d ?? "", "base64url");
        expect(Uint8Array.from(secret)).toEqual(ed25519.utils.toMontgomerySecret(seed));
        expect(Buffer.from(x ?? "", "base64url")).toEqual(Buffer.from(x25519.getPublicKey(secret)));
        expect(key.toX25519PrivateKey()).toBe(key.toX25519PrivateKey());
      }),
      { numRuns: propertyRuns(50) },
    );
  });

  test("derives another secret for each key and each purpose, as RFC 5869 says", () => {
    const seed = new Uint8Array(32).fill(7);
    const key = fromSeed(seed);
    const extracted = createHmac("sha256", Buffer.alloc(32)).update(seed).digest();
    const expected = createHmac("sha256", extracted).update("purpose\u0001").digest();
    expect(Buffer.from(key.deriveSecret("purpose"))).toEqual(expected);
    expect(key.deriveSecret("purpose")).not.toEqual(key.deriveSecret("purpose 2"));
    expect(key.deriveSecret("purpose")).not.toEqual(AgentKey.generate().deriveSecret("purpose"));
    expect(key.deriveSecret("purpose")).not.toEqual(seed);
  });
});

describe("the private half", () => {
  const vector = VALID_KEYS[0];
  const key = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
  key.sign("used");
  key.toX25519PrivateKey();
  const seed = Buffer.from(vector.private_key_pkcs8_base64, "base64").subarray(16);

  // Every form in which the seed or the X25519 secret might be printed.
  const secrets = [seed, Buffer.from(vector.x25519_private_key_hex, "hex")].flatMap((secret) => [
    secret.toString("hex"),
    secret.toString("base64").slice(1, 40),
    secret.toString("base64url").slice(1, 40),
    [...secret].slice(0, 6).join(","),
    [...secret].slice(0, 6).join(", "),
    [...secret.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
  ]);

  function consoleOutput(write: (console: Console) => void): string {
    const chunks: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(String(chunk));
        done();
      },
    });
    write(new Console({ stdout: stream, stderr: stream }));
    return chunks.join("");
  }

  test.each<[string, () => string]>([
    ["toString", () => key.toString()],
    ["a template", () => `${key}`],
    ["an array joined", () => [key].join()],
    ["JSON", () => JSON.stringify({ key })],
    ["inspect", () => inspect({ key })],
    ["inspect with everything shown", () => inspect(key, { showHidden: true, depth: null })],
    [
      "inspect of the object itself",
      () => inspect(key, { customInspect: false, showHidden: true }),
    ],
    ["format", () => format("%s %o %O %j", key, key, key, key)],
    ["console.log", () => consoleOutput((console) => console.log(key, [key]))],
    ["console.dir", () => consoleOutput((console) => console.dir(key, { showHidden: true }))],
    ["console.table", () => consoleOutput((console) => console.table([key]))],
    ["an error's cause", () => inspect(new Error("x", { cause: key }))],
    ["own names", () => Reflect.ownKeys(key).map(String).join()],
    ["a spread copy", () => inspect({ ...key }, { showHidden: true, depth: null })],
    ["a structured clone", () => inspect(structuredClone(key), { depth: null })],
    ["the X25519 key object", () => inspect(key.toX25519PrivateKey(), { showHidden: true })],
  ])("is not shown by %s (G-K1)", (_name, show) => {
    const shown = show();
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });

  test("is what the search above would find", () => {
    const leak = `${seed.toString("hex")} ${inspect(seed)} ${key.exportPkcs8()} ${[...seed]}`;
    expect(secrets.slice(0, 6).filter((secret) => leak.includes(secret)).length).toBeGreaterThan(2);
  });

  test("shows the public half instead", () => {
    expect(`${key}`).toBe(`AgentKey(${vector.ssh_public_key})`);
    expect(inspect(key)).toBe(`AgentKey(${vector.ssh_public_key})`);
    expect(JSON.parse(JSON.stringify(key))).toEqual({ publicKey: vector.ssh_public_key });
  });
});
