import { expectThrow } from "@countersign/testing/vitest";
import { describe, expect, expectTypeOf, test } from "vitest";
import { AgentKey } from "./agent-key.js";
import { AgentKeyError } from "./agent-key-error.js";
import type { AgentSigner, SyncAgentSigner } from "./agent-signer.js";
import { signWith } from "./sign-with.js";

const key = AgentKey.generate();
const { publicKey } = key;

describe("signWith", () => {
  test.each<[string, object]>([
    ["a signer that may give a promise", { publicKey, sign: async () => key.sign("text") }],
    ["a promise", { publicKey, signText: async () => key.signText("text") }],
    ["bytes", { publicKey, signText: () => key.sign("text") }],
    ["nothing", { publicKey, signText() {} }],
  ])("refuses %s, and writes it nowhere", (_, signer) => {
    const sign = () => signWith(signer as SyncAgentSigner, "text");
    const error = expectThrow(sign, AgentKeyError, "config_invalid");
    expect(error.hint).toContain("headerAsync");
  });

  test("signs with an AgentKey", () => {
    expect(signWith(key, "text")).toBe(key.signText("text"));
  });

  test("takes no signer that may give a promise", () => {
    expectTypeOf<AgentSigner>().not.toExtend<SyncAgentSigner>();
    expectTypeOf<AgentKey>().toExtend<SyncAgentSigner>();
    expectTypeOf(signWith).parameter(0).toEqualTypeOf<SyncAgentSigner>();
  });
});
