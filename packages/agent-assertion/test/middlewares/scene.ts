import { createHash } from "node:crypto";
import { contentDigest, signMessage } from "@countersign/agent-key/message-signature";
import { onTestFinished } from "vitest";
import {
  type AgentDirectory,
  type AssertionVerifier,
  type BindingOptions,
  createVerifier,
  memoryDirectory,
  memoryReplayStore,
} from "../../src/index.js";
import { bindRequest, signAssertion } from "../../src/sign.js";
import { AGENT_ID, AUTHORITY, agent, key, NOW, TASK_ID, TIMESTAMP, task } from "../fixtures.js";

export const PUBLIC_URL = "https://api.example/base";

/** A directory of one agent with a live and a revoked task, that can be put out of order. */
export class SceneDirectory implements AgentDirectory {
  readonly authority = AUTHORITY;
  failure: Error | undefined;
  readonly #known = memoryDirectory({
    authority: AUTHORITY,
    agents: [agent],
    tasks: [
      { ...task, agentRuntimeId: AGENT_ID },
      { taskId: "task-revoked", state: "revoked", agentRuntimeId: AGENT_ID },
    ],
  });

  async agent(id: string) {
    if (this.failure !== undefined) throw this.failure;
    return this.#known.agent(id);
  }

  async task(id: string, taskId: string) {
    return this.#known.task(id, taskId);
  }
}

/** A verifier at a fixed instant; unbound unless it is told otherwise. */
export function verifierOf(
  directory: AgentDirectory,
  binding?: Partial<BindingOptions>,
): AssertionVerifier {
  const now = () => NOW;
  return createVerifier({
    directory,
    now,
    ...(binding === undefined
      ? {}
      : {
          binding: {
            policy: "accept",
            publicUrl: PUBLIC_URL,
            replayStore: memoryReplayStore({ now }),
            ...binding,
          },
        }),
  });
}

/** The `Authorization` field of a task. */
export function assertionOf(taskId: string = TASK_ID): string {
  return signAssertion({ agentRuntimeId: AGENT_ID, taskId, key, timestamp: TIMESTAMP });
}

/** The lines of a bound request. @param path - below {@link PUBLIC_URL} */
export function boundLines(method: string, path: string, body?: Uint8Array): string[] {
  const authorization = assertionOf();
  const credential = {
    kind: "agent",
    authority: AUTHORITY,
    agentRuntimeId: AGENT_ID,
    taskId: TASK_ID,
    key,
  } as const;
  const targetUri = `${PUBLIC_URL}${path}`;
  const fields = bindRequest({ credential, authorization, method, targetUri, body });
  return [`Authorization: ${authorization}`, ...fields.map(([name, value]) => `${name}: ${value}`)];
}

/** The lines of a request that covers the digest of a body, also of one without a byte, which `bindRequest` takes for none. */
export function linesWithDigest(method: string, path: string, body: Uint8Array): string[] {
  const authorization = assertionOf();
  const digest = contentDigest(body);
  const { signatureInput, signature } = signMessage({
    key,
    keyid: AGENT_ID,
    tag: "agent-assertion",
    created: NOW / 1000,
    components: [
      ["@method", method],
      ["@target-uri", `${PUBLIC_URL}${path}`],
      ["authorization", authorization],
      ["content-digest", digest],
    ],
  });
  return [
    `Authorization: ${authorization}`,
    `Content-Digest: ${digest}`,
    `Signature-Input: ${signatureInput}`,
    `Signature: ${signature}`,
  ];
}

/** What the handlers of these tests answer: who asked, for what, with which body. */
export interface Heard {
  readonly agent: string;
  readonly target: string;
  readonly bytes: number;
  readonly sha256: string;
}

export function heard(agentRuntimeId: string, target: string, body: Uint8Array): Heard {
  const sha256 = createHash("sha256").update(body).digest("hex");
  return { agent: agentRuntimeId, target, bytes: body.length, sha256 };
}

/** Ends something with the test. */
export function endWithTest(end: () => unknown): void {
  onTestFinished(async () => {
    await end();
  });
}
