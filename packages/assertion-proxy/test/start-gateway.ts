import {
  type BindingOptions,
  bindRequest,
  createVerifier,
  type LifeState,
  memoryDirectory,
  signAssertion,
} from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { onTestFinished } from "vitest";
import {
  createVerifyingGateway,
  type VerifyingGateway,
  type VerifyingGatewayOptions,
} from "../src/gateway/verifying-gateway.js";
import type { AuditEntry } from "../src/refusal/audit-entry.js";

export const NOW = Date.UTC(2026, 2, 23, 12);

/** A gateway under test: one agent with one task, and a directory that a test can change. */
export interface TestGateway {
  readonly gateway: VerifyingGateway;
  readonly url: string;
  /** A whole `Authorization` line, without its end. */
  readonly authorization: string;
  readonly agent: { state: LifeState };
  readonly task: { state: LifeState };
  readonly audit: readonly AuditEntry[];
  /** Waits for the entry of that number, from 0. */
  entry(index: number): Promise<AuditEntry>;
  /** A whole request head without a body, signed; `lines` end with `\r\n`. */
  request(method: string, target: string, lines?: string): string;
  /** The lines that bind a request to its assertion, each with its end. */
  binding(method: string, target: string, body?: string): string;
}

export type TestGatewayOptions = Partial<VerifyingGatewayOptions> & {
  readonly upstream: string;
  /** How the verifier treats bound requests. */
  readonly binding?: BindingOptions;
};

/** The URL that bindings are made for. */
export const PUBLIC_URL = "https://gateway.example/public";

export async function startGateway({
  binding,
  ...options
}: TestGatewayOptions): Promise<TestGateway> {
  const key = AgentKey.generate();
  const agent = {
    agentRuntimeId: "agent_1",
    accountId: "acct-1",
    userId: "user-1",
    capabilities: [],
    publicKeys: [key.publicKey],
    state: "active" as LifeState,
  };
  const task = { agentRuntimeId: "agent_1", taskId: "task_1", state: "active" as LifeState };
  const directory = memoryDirectory({
    authority: "https://authority.example",
    agents: [agent],
    tasks: [task],
  });
  const audit: AuditEntry[] = [];
  const waiting: (() => void)[] = [];
  const gateway = createVerifyingGateway({
    verifier: createVerifier({ directory, now: () => NOW, binding }),
    accounts: ["acct-1"],
    now: () => NOW,
    audit: (entry) => {
      audit.push(entry);
      for (const wake of waiting.splice(0)) wake();
    },
    ...options,
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => gateway.close({ drainMs: 1 }));
  const value = signAssertion({
    agentRuntimeId: "agent_1",
    taskId: "task_1",
    key,
    timestamp: formatTimestamp(NOW),
  });
  const authorization = `Authorization: ${value}`;
  return {
    gateway,
    url,
    authorization,
    agent,
    task,
    audit,
    async entry(index) {
      while (audit.length <= index) await new Promise<void>((wake) => waiting.push(wake));
      return audit[index] as AuditEntry;
    },
    request: (method, target, lines = "") =>
      `${method} ${target} HTTP/1.1\r\nHost: gateway.example\r\n${authorization}\r\n${lines}\r\n`,
    binding(method, target, body) {
      const fields = bindRequest({
        credential: {
          kind: "agent",
          authority: "https://authority.example",
          agentRuntimeId: "agent_1",
          taskId: "task_1",
          key,
        },
        authorization: value,
        method,
        targetUri: PUBLIC_URL + target,
        body: body === undefined ? undefined : Buffer.from(body, "latin1"),
      });
      return fields.map(([name, field]) => `${name}: ${field}\r\n`).join("");
    },
  };
}
