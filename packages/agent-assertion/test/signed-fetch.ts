import type {
  AgentCredential,
  AgentKey,
  Credential,
  CredentialRefusal,
  CredentialSource,
} from "@countersign/agent-key";
import {
  headerOf,
  startTestUpstream,
  type TestUpstream,
  type UpstreamAnswer,
  type UpstreamHandler,
} from "@countersign/testing";
import { type WithAssertionOptions, withAssertion } from "../src/fetch.js";
import { AssertionSigner, createProblem } from "../src/index.js";
import { AGENT_ID, AUTHORITY, key, membersOf, NOW, TASK_ID } from "./fixtures.js";

export const first: AgentCredential<AgentKey> = {
  kind: "agent",
  authority: AUTHORITY,
  agentRuntimeId: AGENT_ID,
  taskId: TASK_ID,
  key,
};
export const second: AgentCredential<AgentKey> = { ...first, taskId: "task-2" };

/** A human's bearer, in place of an assertion, for these origins. */
export function bearerFor(origins: readonly string[]): Credential {
  const accessToken = "human-secret";
  return { kind: "bearer", authority: AUTHORITY, accessToken, reason: "fallback", origins };
}

/** Gives one credential, another on refusal if there is one, and records what is reported to it. */
export class ScriptedSource implements CredentialSource {
  current: Credential = first;
  next: Credential | undefined;
  readonly heard: (readonly [string, Credential, unknown])[] = [];
  readonly signals: (AbortSignal | undefined)[] = [];

  async credential(options?: { signal?: AbortSignal | undefined }): Promise<Credential> {
    this.signals.push(options?.signal);
    return this.current;
  }

  async refused(credential: Credential, refusal: CredentialRefusal) {
    this.heard.push(["refused", credential, refusal]);
    return this.next;
  }

  accepted(credential: Credential, origin: string): void {
    this.heard.push(["accepted", credential, origin]);
  }
}

const servers: TestUpstream[] = [];

/** Ends the servers of a test; for `afterEach`. */
export async function stopServers(): Promise<void> {
  for (const server of servers.splice(0)) await server.close();
}

/** Starts a server that ends with the test. */
export async function start(handler?: UpstreamHandler): Promise<TestUpstream> {
  const server = await startTestUpstream(handler);
  servers.push(server);
  return server;
}

/** A server, and a `fetch` that signs for it with the first credential. */
export async function setUp(options: Partial<WithAssertionOptions> = {}) {
  const server = await start();
  const source = new ScriptedSource();
  const warnings: string[] = [];
  const api = withAssertion(fetch, source, {
    origins: [server.url],
    signer: new AssertionSigner({ now: () => NOW }),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  return { server, source, warnings, api };
}

/** The task of each request's assertion; the whole field, or nothing, for any other. */
export function credentialsOf(server: TestUpstream): (string | undefined)[] {
  return server.requests.map((request) => {
    const field = headerOf(request, "authorization");
    return field?.startsWith("AgentAssertion ") ? membersOf(field).task_id : field;
  });
}

/** A refusal as our servers send it. */
export const refusal: UpstreamAnswer = createProblem("task_revoked");

/** A body that can be sent only once. */
export function streamOf(text: string): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(text));
      controller.close();
    },
  });
}
