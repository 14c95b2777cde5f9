import { readFileSync } from "node:fs";
import { AgentKey, AgentPublicKey, parseTimestamp } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import {
  checkAssertion,
  createVerifier,
  memoryDirectory,
  parseAssertion,
  signAssertion,
} from "../src/index.js";
import { expectRejection } from "./expect-rejection.js";

interface Vectors {
  readonly now: string;
  readonly max_skew_seconds: number;
  readonly agents: readonly {
    readonly agent_runtime_id: string;
    readonly ssh_public_key: string;
    readonly revoked?: boolean;
  }[];
  readonly tasks: readonly {
    readonly agent_runtime_id: string;
    readonly task_id: string;
    readonly revoked?: boolean;
  }[];
  readonly build: readonly {
    readonly private_key_pkcs8_base64: string;
    readonly agent_runtime_id: string;
    readonly task_id: string;
    readonly timestamp: string;
    readonly authorization: string;
  }[];
  readonly accept: readonly { readonly name: string; readonly authorization: string }[];
  readonly reject: readonly {
    readonly name: string;
    readonly authorization: string | null;
    readonly code: string;
  }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("./vectors/assertions.json", import.meta.url), "utf8"),
);
const now = parseTimestamp(vectors.now);
const maxSkewSeconds = vectors.max_skew_seconds;
const directory = memoryDirectory({
  authority: "https://authority.example",
  agents: vectors.agents.map((agent) => ({
    agentRuntimeId: agent.agent_runtime_id,
    accountId: "acct-1",
    userId: "user-1",
    capabilities: [],
    publicKeys: [AgentPublicKey.parse(agent.ssh_public_key)],
    state: agent.revoked ? "revoked" : "active",
  })),
  tasks: vectors.tasks.map((task) => ({
    agentRuntimeId: task.agent_runtime_id,
    taskId: task.task_id,
    state: task.revoked ? "revoked" : "active",
  })),
});
const verifier = createVerifier({ directory, maxSkewSeconds, now: () => now });

async function check(field: string | undefined) {
  const parsed = parseAssertion(field);
  const agent = await directory.agent(parsed.agentRuntimeId);
  const task = await directory.task(parsed.agentRuntimeId, parsed.taskId);
  const facts = { authority: directory.authority, agent, task };
  return checkAssertion(parsed, facts, { now, maxSkewSeconds });
}

describe("the vectors for assertions", () => {
  test("are there", () => {
    expect(vectors.build.length).toBeGreaterThan(0);
    expect(vectors.accept.length).toBeGreaterThan(0);
    expect(vectors.reject.length).toBeGreaterThan(0);
  });

  test.each(vectors.build)("are built byte for byte: $agent_runtime_id $task_id", (vector) => {
    const built = signAssertion({
      agentRuntimeId: vector.agent_runtime_id,
      taskId: vector.task_id,
      key: AgentKey.importPkcs8(vector.private_key_pkcs8_base64),
      timestamp: vector.timestamp,
    });
    expect(built).toBe(vector.authorization);
  });

  // Twice with the same verifier: the second time with a remembered signature.
  test.each(vectors.accept)("are accepted: $name", async ({ authorization }) => {
    const verified = await verifier.verify(authorization);
    expect(await verifier.verify(authorization)).toEqual(verified);
    expect(await check(authorization)).toEqual(verified);
  });

  test.each(vectors.reject)("are rejected: $name ($code)", async ({ authorization, code }) => {
    const field = authorization ?? undefined;
    await expectRejection(() => verifier.verify(field), code);
    await expectRejection(() => verifier.verify(field), code);
    await expectRejection(() => check(field), code);
  });
});
