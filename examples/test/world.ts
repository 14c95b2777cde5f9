import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Server as Listener } from "node:net";
import { createVerifier } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { createAuthority, openStore, type Registry } from "@countersign/agent-authority";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentTaskManager, type AgentThread } from "@countersign/agent-task";
import { createVerifyingGateway } from "@countersign/assertion-proxy";
import { startTestUpstream, type TestUpstream, type UpstreamHandler } from "@countersign/testing";
import { onTestFinished } from "vitest";

export const HUMAN = { accountId: "acct-1", userId: "user-1" };

/** An authority on a real socket that knows one human. */
export interface World {
  /** URL of the authority. */
  readonly authority: string;
  readonly registry: Registry;
  readonly accessToken: string;
  /** A thread of an agent of the human's. */
  readonly thread: AgentThread;
  /** Ends the authority: no connection is served any more. */
  endAuthority(): Promise<void>;
}

/** Starts a {@link World} that ends with the test. */
export async function startWorld(): Promise<World> {
  const store = await openStore("sqlite::memory:");
  const running = await createAuthority({ store });
  const { registry } = running;
  const server = createServer(running.handler);
  const authority = await listen(server);
  const { token: accessToken } = await registry.createAccessToken({
    ...{ ...HUMAN, role: "human", ttlSeconds: 3600 },
  });
  const auth = fixedAuth({ kind: "human", ...HUMAN, accessToken });
  const identities = new AgentIdentityManager({ authority, auth, store: memoryStore() });
  const tasks = new AgentTaskManager({ identities });
  onTestFinished(async () => {
    await tasks.close();
    await identities.close();
    await end(server);
    await running.close();
    await store.close();
  });
  const thread = tasks.thread("thread-1");
  return { authority, registry, accessToken, thread, endAuthority: () => end(server) };
}

/** Serves on a free port until the test ends. @returns its origin */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  onTestFinished(() => end(server));
  return await listen(server);
}

/** Listens on a free loopback port. @returns the origin */
export async function listen(server: Listener): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Ends a server and its connections. */
export function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Starts an API behind a gateway, which lets agents of the authority pass alone. Both end with the test. */
export async function startGateway(
  authority: string,
  api: UpstreamHandler,
): Promise<{ readonly url: string; readonly upstream: TestUpstream }> {
  const upstream = await startTestUpstream(api);
  const directory = remoteDirectory(authority, { revocationDelaySeconds: 0 });
  const gateway = createVerifyingGateway({
    verifier: createVerifier({ directory }),
    upstream: upstream.url,
    accounts: [HUMAN.accountId],
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await gateway.close({ drainMs: 1 });
    await directory.close?.();
    await upstream.close();
  });
  return { url, upstream };
}
