// Each function that writes a signature into a header at once, with keys that have none at once.
import {
  type AgentCredential,
  AgentKey,
  AgentKeyError,
  type SyncAgentSigner,
} from "@countersign/agent-key";
import { expectThrow } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AssertionSigner } from "./assertion-signer.js";
import { headerAsync } from "./async/header-async.js";
import { bindRequestAsync, signAssertionAsync } from "./async/sign-async.js";
import { authorizationField } from "./authorization-field.js";
import { bindRequest } from "./bind-request.js";
import { signAssertion } from "./sign-assertion.js";

const NOW = Date.UTC(2026, 2, 23, 12);
const key = AgentKey.generate();
const { publicKey } = key;
const later = { publicKey, sign: async (message: Uint8Array) => key.sign(message) };
const promised = { ...later, signText: async (text: string) => key.signText(text) };

const ids = { agentRuntimeId: "agent_1", taskId: "task_1" };
const credential = { kind: "agent", authority: "https://authority.example", ...ids } as const;
const assertion = { ...ids, timestamp: "2026-03-23T12:00:00Z" };
const bound = {
  authorization: signAssertion({ ...assertion, key }),
  method: "GET",
  targetUri: "https://api.example/",
  body: undefined,
};
const held = <Signer>(signer: Signer) => ({ ...credential, key: signer });
const signer = () => new AssertionSigner({ now: () => NOW });

const AT_ONCE: readonly [name: string, make: (signer: SyncAgentSigner) => unknown][] = [
  ["signAssertion", (one) => signAssertion({ ...assertion, key: one })],
  ["AssertionSigner.header", (one) => signer().header(held(one))],
  ["bindRequest", (one) => bindRequest({ ...bound, credential: held(one) })],
  ["authorizationField", (one) => authorizationField(held(one), "https://api.example", signer())],
];

describe.each(AT_ONCE)("%s", (_, make) => {
  test.each([
    ["whose signature is a promise", promised],
    ["that has no signature at once", later],
  ])("makes nothing of a key %s", (_, one) => {
    const error = expectThrow(
      () => make(one as unknown as SyncAgentSigner),
      AgentKeyError,
      "config_invalid",
    );
    expect(error.hint).toContain("headerAsync");
  });
});

test("what waits for the same key writes what an AgentKey writes at once", async () => {
  const made = [
    await signAssertionAsync({ ...assertion, key: later }),
    await headerAsync(signer(), held(later) as AgentCredential),
  ];
  expect(made).toEqual([signAssertion({ ...assertion, key }), signer().header(held(key))]);
  const fields = Object.fromEntries(await bindRequestAsync({ ...bound, credential: held(later) }));
  // 64 bytes in base64, of which a verifier's tests show that they hold.
  expect(Object.values(fields).at(-1)).toMatch(/^agent-assertion=:[A-Za-z0-9+/]{86}==:$/);
});
