import {
  type AssertionVerifier,
  type BindingOptions,
  bindRequest,
  createVerifier,
  type LifeState,
  memoryDirectory,
  signAssertion,
} from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import type { AuditEntry } from "../src/refusal/audit-entry.js";

export const NOW = Date.UTC(2026, 2, 23, 12);

/** The URL that bindings are made for. */
export const PUBLIC_URL = "https://gateway.example/public";

/** One agent with one task, and a verifier of them by a directory that a test can change. */
export interface TestAgent {
  readonly verifier: AssertionVerifier;
  /** A whole `Authorization` line, without its end. */
  readonly authorization: string;
  readonly agent: { state: LifeState };
  readonly task: { state: LifeState };
  /** A whole request head without a body, signed; `lines` end with `\r\n`. */
  request(method: string, target: string, lines?: string): string;
  /** The lines that bind a request to its assertion, each with its end. */
  binding(method: string, target: string, body?: string): string;
}

export function createTestAgent(binding?: BindingOptions): TestAgent {
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
  const value = signAssertion({
    agentRuntimeId: "agent_1",
    taskId: "task_1",
    key,
    timestamp: formatTimestamp(NOW),
  });
  const authorization = `Authorization: ${value}`;
  return {
    verifier: createVerifier({ directory, now: () => NOW, binding }),
    authorization,
    agent,
    task,
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

/** The audit entries of a server under test. */
export interface AuditLog {
  readonly entries: readonly AuditEntry[];
  readonly take: (entry: AuditEntry) => void;
  /** Waits for the entry of that number, from 0. */
  entry(index: number): Promise<AuditEntry>;
}

export function createAuditLog(): AuditLog {
  const entries: AuditEntry[] = [];
  const waiting: (() => void)[] = [];
  return {
    entries,
    take(entry) {
      entries.push(entry);
      for (const wake of waiting.splice(0)) wake();
    },
    async entry(index) {
      while (entries.length <= index) await new Promise<void>((wake) => waiting.push(wake));
      return entries[index] as AuditEntry;
    },
  };
}
