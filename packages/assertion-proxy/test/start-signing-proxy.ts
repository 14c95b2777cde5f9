import {
  type AgentCredential,
  AgentKey,
  type Credential,
  type CredentialOptions,
  type CredentialRefusal,
  type CredentialSource,
} from "@countersign/agent-key";
import { onTestFinished } from "vitest";
import type { AuditEntry } from "../src/refusal/audit-entry.js";
import type { SigningListenOptions } from "../src/signing/signing-listener.js";
import {
  createSigningProxy,
  type SigningProxy,
  type SigningProxyOptions,
} from "../src/signing/signing-proxy.js";

/** The client token of the proxies under test. */
export const TOKEN = "client-token-0123456789";

const key = AgentKey.generate();

/** The credential of a task; `task_1` unless told otherwise. */
export function credentialOf(taskId = "task_1"): AgentCredential {
  return {
    kind: "agent",
    authority: "https://authority.example",
    agentRuntimeId: "agent_1",
    taskId,
    key,
  };
}

/** A source that returns what a test sets and records its calls. */
export class ScriptedSource implements CredentialSource {
  current: Credential = credentialOf();
  /** What comes after a refusal. */
  next: Credential | undefined;
  readonly calls: string[] = [];
  readonly refusals: CredentialRefusal[] = [];

  credential(_?: CredentialOptions): Promise<Credential> {
    this.calls.push("credential");
    return Promise.resolve(this.current);
  }

  refused(
    _: Credential,
    refusal: CredentialRefusal,
    __?: CredentialOptions,
  ): Promise<Credential | undefined> {
    this.calls.push(`refused ${refusal.code}`);
    this.refusals.push(refusal);
    return Promise.resolve(this.next);
  }

  accepted(_: Credential, origin: string): void {
    this.calls.push(`accepted ${origin}`);
  }
}

/** A signing proxy under test. */
export interface TestSigningProxy {
  readonly proxy: SigningProxy;
  readonly url: string;
  /** `HOST:PORT` of the listener. */
  readonly host: string;
  readonly source: ScriptedSource;
  /** The thread of every call of `source`. */
  readonly threads: readonly (string | undefined)[];
  readonly audit: readonly AuditEntry[];
  /** A whole request head without a body, with the client token; `lines` end with `\r\n`. */
  request(method: string, target: string, lines?: string): string;
}

export interface TestSigningProxyOptions extends Partial<SigningProxyOptions> {
  readonly upstream: string;
  readonly listen?: SigningListenOptions;
}

export async function startSigningProxy(
  options: TestSigningProxyOptions,
): Promise<TestSigningProxy> {
  const { listen = { host: "127.0.0.1", port: 0 }, ...rest } = options;
  const source = new ScriptedSource();
  const threads: (string | undefined)[] = [];
  const audit: AuditEntry[] = [];
  const proxy = createSigningProxy({
    source: (threadId) => {
      threads.push(threadId);
      return source;
    },
    clientToken: TOKEN,
    audit: (entry) => audit.push(entry),
    ...rest,
  });
  const { url } = await proxy.listen(listen);
  onTestFinished(() => proxy.close({ drainMs: 1 }));
  const host = url.startsWith("http:") ? new URL(url).host : "localhost";
  return {
    proxy,
    url,
    host,
    source,
    threads,
    audit,
    request: (method, target, lines = "") =>
      `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${TOKEN}\r\n${lines}\r\n`,
  };
}
