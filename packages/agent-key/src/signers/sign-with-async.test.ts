import { getEventListeners } from "node:events";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentKey } from "../agent-key.js";
import { AgentKeyError } from "../agent-key-error.js";
import type { AgentSigner, SignOptions, SyncAgentSigner } from "../agent-signer.js";
import { signsAtOnce, signWithAsync } from "./sign-with-async.js";
import { signingAsync } from "./signing-async.js";

const key = AgentKey.generate();
const { publicKey } = key;
const expected = key.signText("text");

// A signer as a program writes it: nothing of AgentKey but its public half.
const plain: AgentSigner = { publicKey, sign: (message) => key.sign(message) };
const later = (sign: (message: Uint8Array, options?: SignOptions) => Promise<Uint8Array>) =>
  ({ publicKey, sign }) satisfies AgentSigner;

// The answers of a signer that must never become a signature on the wire.
const WRONG_SIGNATURES: [string, unknown, "invalid_key" | "config_invalid", RegExp][] = [
  ["63 bytes", key.sign("text").subarray(1), "invalid_key", /64 bytes, got 63/],
  ["an ssh envelope", Buffer.concat([Buffer.alloc(19), key.sign("text")]), "invalid_key", /got 83/],
  ["another text's signature", key.sign("other"), "invalid_key", /does not hold/],
  ["another key's signature", AgentKey.generate().sign("text"), "invalid_key", /does not hold/],
  ["zeros", new Uint8Array(64), "invalid_key", /does not hold/],
  ["base64", expected, "config_invalid", /no Uint8Array/],
  ["an ArrayBuffer", new ArrayBuffer(64), "config_invalid", /no Uint8Array/],
  ["nothing", undefined, "config_invalid", /no Uint8Array/],
];

describe("signWithAsync", () => {
  test.each(WRONG_SIGNATURES)("refuses %s", async (_, signature, code, says) => {
    const signing = signWithAsync(
      later(async () => signature as Uint8Array),
      "text",
    );
    const error = await expectRejection(signing, AgentKeyError, code);
    expect(error.message).toMatch(says);
  });

  test("says that the signer rejected, or threw", async () => {
    const cause = new Error("the agent is locked");
    const rejects = later(() => Promise.reject(cause));
    const throws = later(() => {
      throw cause;
    });
    for (const signer of [rejects, throws]) {
      const signing = signWithAsync(signer, "text");
      const error = await expectRejection(signing, AgentKeyError, "signer_failed");
      expect(error).toMatchObject({ cause, retryable: true });
    }
  });

  test("leaves nothing behind on a signal that lives on", async () => {
    let given: AbortSignal | undefined;
    const signer = later(async (message, options) => {
      given = options?.signal;
      return key.sign(message);
    });
    const { signal } = new AbortController();
    await signWithAsync(signer, "text", { signal });
    expect(getEventListeners(given as AbortSignal, "abort")).toEqual([]);
  });

  test("gives up a signer that hangs, and lets it know", async () => {
    let given: AbortSignal | undefined;
    const hangs = later((_, options) => {
      given = options?.signal;
      return new Promise(() => {});
    });
    const signing = signWithAsync(hangs, "text", { deadlineMs: 1 });
    const error = await expectRejection(signing, AgentKeyError, "signer_failed");
    expect(error).toMatchObject({
      message: expect.stringContaining("within 1 ms"),
      retryable: true,
    });
    expect(given?.aborted).toBe(true);
  });

  test("ends with its caller's signal, also before it asks the signer", async () => {
    const asked: AbortSignal[] = [];
    const hangs = later((_, options) => {
      if (options?.signal !== undefined) asked.push(options.signal);
      return new Promise(() => {});
    });
    const reason = new Error("the caller has gone");
    const controller = new AbortController();
    const signing = signWithAsync(hangs, "text", { signal: controller.signal });
    controller.abort(reason);
    await expect(signing).rejects.toBe(reason);
    expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
    await expect(signWithAsync(hangs, "text", { signal: controller.signal })).rejects.toBe(reason);
    expect(asked).toHaveLength(1);
  });

  test("signs with every signer", async () => {
    for (const signer of [key, plain, later(async (message) => key.sign(message))]) {
      expect(await signWithAsync(signer, "text")).toBe(expected);
    }
  });

  test.each([
    undefined,
    {},
    { publicKey },
    { sign: key.sign },
    { publicKey: publicKey.line, sign() {} },
  ])("refuses what is not a signer: %j", async (signer) => {
    const none = signer as unknown as AgentSigner;
    await expectRejection(signWithAsync(none, "text"), AgentKeyError, "config_invalid");
  });

  test("signs at once with an AgentKey alone", () => {
    expect([signsAtOnce(key), signsAtOnce(plain)]).toEqual([true, false]);
  });
});

describe("signingAsync", () => {
  test("signs no bytes, which could be given the signature of another text", async () => {
    const ofBytes = (signing: SyncAgentSigner) => signing.sign(Buffer.from("text"));
    await expect(signingAsync(plain, ofBytes)).rejects.toThrow(TypeError);
  });

  const made = (own: SyncAgentSigner) => `${own.publicKey.line} ${own.signText("text")}`;

  test("refuses a signature that does not hold, and makes nothing with it", async () => {
    const wrong = later(async () => key.sign("other"));
    await expectRejection(signingAsync(wrong, made), AgentKeyError, "invalid_key");
  });

  test("rejects with the error of what is made, before the signer is asked", async () => {
    const asked: Uint8Array[] = [];
    const signer = later(async (message) => {
      asked.push(message);
      return key.sign(message);
    });
    const failing = () => {
      throw new TypeError("an id that may not be signed");
    };
    await expect(signingAsync(signer, failing)).rejects.toThrow(TypeError);
    expect(asked).toEqual([]);
  });

  test("never gives the signature of one text for another", async () => {
    let count = 0;
    const changing = (own: SyncAgentSigner) => own.signText(`text ${count++}`);
    await expect(signingAsync(plain, changing)).rejects.toThrow();
  });

  test("makes with every signer what an AgentKey makes at once", async () => {
    for (const signer of [key, plain, later(async (message) => key.sign(message))]) {
      expect(await signingAsync(signer, made)).toBe(made(key));
    }
  });
});
