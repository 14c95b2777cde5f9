import type { IncomingMessage } from "node:http";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { AgentKey, type CredentialSource } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { createSigningPolicy } from "./signing-policy.js";
import { SigningThreads } from "./signing-threads.js";

const ORIGIN = "https://api.example";

const source: CredentialSource = {
  credential: async () => ({
    kind: "agent",
    authority: "https://authority.example",
    agentRuntimeId: "agent_1",
    taskId: "task_1",
    key: AgentKey.generate(),
  }),
  refused: async () => undefined,
  accepted: () => {},
};

// Each object literal with getters would have a hidden class of its own, which outlives the request.
test("all admissions are of one shape, without getters of their own", async () => {
  const policy = createSigningPolicy({
    guard: () => {},
    keyFields: [],
    isSecret: undefined,
    threadHeaders: ["x-thread-id"],
    threads: new SigningThreads({ source: () => source, maxThreads: 1 }),
    signer: new AssertionSigner(),
    origin: ORIGIN,
    baseUrl: ORIGIN,
    patience: {},
    forwardCookies: false,
    forwardHeaders: [],
    replayBodyBytes: 0,
    bindingBodyBytes: undefined,
  });
  const request = { method: "GET", url: "/v1", rawHeaders: ["Accept", "*/*"] };
  const read = async () => Buffer.alloc(0);
  const admission = await policy.admit(request as unknown as IncomingMessage, {
    signal: AbortSignal.timeout(60_000),
    body: { read },
    takePlace: () => {},
    whenOver: () => {},
    requestId: "req-1",
  });
  const own = Object.values(Object.getOwnPropertyDescriptors(admission));
  expect(own.filter(({ get }) => get !== undefined)).toEqual([]);
  expect(admission.identity).toEqual({ agent_runtime_id: "agent_1", task_id: "task_1" });
});
