import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AssertionSigner, createVerifier, memoryReplayStore } from "@countersign/agent-assertion";
import {
  type AssertedFetch,
  type WithAssertionOptions,
  withAssertion,
} from "@countersign/agent-assertion/fetch";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { createAuthority, openStore, type Registry } from "@countersign/agent-authority";
import {
  AgentIdentityManager,
  createAuthSlot,
  fixedAuth,
  memoryStore,
} from "@countersign/agent-identity";
import { AgentTaskManager, type AgentThread } from "@countersign/agent-task";
import { type AuditEntry, createVerifyingGateway } from "@countersign/assertion-proxy";
import { startTestUpstream, type TestUpstream } from "@countersign/testing";
import { startWireTap, type WireTap } from "@countersign/testing/vitest";
import { expect, onTestFinished } from "vitest";
import { heldAnswer } from "./held-answer.js";
import type { SdkClient, SdkSettings } from "./sdk-client.js";

/** What the SDKs are given as their key. It must never be sent. */
export const KEY = "sk-canary-5f1d0c9b7a";

/** An authority, an API behind a gateway, and an agent that is set up with one SDK. */
export interface World {
  readonly registry: Registry;
  /** The API behind the gateway. */
  readonly upstream: TestUpstream;
  /** What arrives at the gateway. */
  readonly tap: WireTap;
  /** What the gateway has written about the requests so far. */
  readonly gatewayLog: readonly AuditEntry[];
  /** Holds the next answer to a call back, for good. Resolves once the API has the request. */
  holdNextAnswer(): Promise<void>;
  /** The same of a streamed answer, from its last piece on. Resolves once the client has the head of the answer. */
  holdNextStream(): Promise<void>;
  /** The transport's warnings so far. */
  readonly warnings: readonly string[];
  /** How often the SDK has called its `fetch` so far. */
  attempts(): number;
  readonly thread: AgentThread;
  /** URL of the authority. */
  readonly authority: string;
  /** Ends the authority: no connection is served any more. */
  endAuthority(): Promise<void>;
  /** What the SDK is set up with. */
  settings(options?: Partial<WithAssertionOptions>): SdkSettings;
}

/** Options of {@link startWorld}. */
export interface WorldOptions {
  readonly binding?: boolean;
  /** Milliseconds in which a task is to be had. Default: the manager's own. */
  readonly deadlineMs?: number | undefined;
  /** Milliseconds from one look of the gateway at an open stream to the next. Default: the gateway's own. */
  readonly recheckMs?: number;
  /** Whether the agent has a login. Default true. */
  readonly isLoggedIn?: boolean;
}

/** Starts a {@link World} that ends with the test. */
export async function startWorld(
  { api }: Pick<SdkClient, "api">,
  { binding = false, deadlineMs, recheckMs, isLoggedIn = true }: WorldOptions = {},
): Promise<World> {
  const { url: authority, registry, end: endAuthority } = await startAuthority();
  const tap = await startWireTap();
  const held = heldAnswer(api);
  const upstream = await startTestUpstream(held.api);
  onTestFinished(() => upstream.close());
  const { token } = await registry.createAccessToken({
    ...{ accountId: "acct-1", userId: "server-1", role: "resource_server", ttlSeconds: 3600 },
  });
  const directory = remoteDirectory(authority, { token, revocationDelaySeconds: 0 });
  const verifier = createVerifier({
    directory,
    ...(binding
      ? { binding: { policy: "require", publicUrl: tap.url, replayStore: memoryReplayStore() } }
      : {}),
  });
  const gatewayLog: AuditEntry[] = [];
  const gateway = createVerifyingGateway({
    verifier,
    upstream: upstream.url,
    recheckMs,
    audit: (entry) => void gatewayLog.push(entry),
    accounts: ["acct-1"],
  });
  tap.relayTo((await gateway.listen({ host: "127.0.0.1", port: 0 })).url);
  onTestFinished(async () => {
    await gateway.close({ drainMs: 1 });
    await directory.close?.();
  });
  const user = { accountId: "acct-1", userId: "user-1" };
  const tasks = await startAgent({ url: authority, registry }, user, { deadlineMs, isLoggedIn });
  const thread = tasks.thread("thread-1");
  // Each signature is a second younger than the one before, so two of them are never equal.
  let now = Date.now();
  const signer = new AssertionSigner({ now: () => (now += 1000) });
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const common = { origins: [tap.url], signer, binding, onWarning };
  let attempts = 0;
  return {
    registry,
    upstream,
    tap,
    gatewayLog,
    holdNextAnswer: () => held.holdWhole(),
    async holdNextStream() {
      await held.holdRest();
      // Each request has its head by then.
      await expect.poll(() => tap.statuses().length).toBe(upstream.requests.length);
    },
    warnings,
    thread,
    authority,
    endAuthority,
    attempts: () => attempts,
    settings(options = {}) {
      const signed = withAssertion(fetch, thread, { ...common, ...options });
      const counted: AssertedFetch = (input, init) => {
        attempts += 1;
        return signed(input, init);
      };
      return { origin: tap.url, key: KEY, fetch: counted };
    },
  };
}

/** An authority that listens. */
export interface StartedAuthority {
  readonly url: string;
  readonly registry: Registry;
  /** Ends it: no connection is served any more. */
  readonly end: () => Promise<void>;
}

/** Starts an authority that ends with the test. */
export async function startAuthority(): Promise<StartedAuthority> {
  const store = await openStore("sqlite::memory:");
  const authority = await createAuthority({ store });
  const server = createServer(authority.handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const end = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(async () => {
    await end();
    await authority.close();
    await store.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, registry: authority.registry, end };
}

/** Makes the agent of a user. It ends with the test. */
export async function startAgent(
  { url: authority, registry }: Pick<StartedAuthority, "url" | "registry">,
  user: { readonly accountId: string; readonly userId: string },
  { deadlineMs, isLoggedIn = true }: Pick<WorldOptions, "deadlineMs" | "isLoggedIn"> = {},
): Promise<AgentTaskManager> {
  const { token: accessToken } = await registry.createAccessToken({
    ...{ ...user, role: "human", ttlSeconds: 3600 },
  });
  const identities = new AgentIdentityManager({
    authority,
    auth: isLoggedIn ? fixedAuth({ kind: "human", ...user, accessToken }) : createAuthSlot(),
    store: memoryStore(),
    features: { isEnabled: () => true },
  });
  const tasks = new AgentTaskManager({ identities, deadlineMs });
  onTestFinished(async () => {
    await tasks.close();
    await identities.close();
  });
  return tasks;
}
