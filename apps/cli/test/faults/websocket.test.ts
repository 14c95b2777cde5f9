import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createVerifier } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { dialWithAssertion } from "@countersign/agent-assertion/websocket";
import {
  AgentIdentityManager,
  createAuthSlot,
  type HumanAuth,
  memoryStore,
} from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { AgentTaskManager } from "@countersign/agent-task";
import { createVerifyingGateway } from "@countersign/assertion-proxy";
import { pacedBy } from "@countersign/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { gate } from "./gate.js";
import { startRealAuthority } from "./real-authority.js";

/** A server of WebSockets that says hello, and the handshakes that reached it. */
async function startServer(
  refuse: (handshake: IncomingMessage) => Promise<number | undefined> = async () => undefined,
) {
  const handshakes: IncomingMessage[] = [];
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  server.on("upgrade", async (request, socket, head) => {
    handshakes.push(request);
    socket.on("error", () => {});
    const status = await refuse(request);
    if (status !== undefined) {
      const challenge = 'WWW-Authenticate: AgentAssertion error="task_revoked"';
      socket.end(`HTTP/1.1 ${status} No\r\n${challenge}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => opened.send("hello"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const client of sockets.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, handshakes };
}

async function startWorld() {
  const authority = await startRealAuthority();
  const human: HumanAuth = {
    kind: "human",
    accountId: "acct-1",
    userId: "user-1",
    accessToken: await authority.token(),
  };
  const flag = { on: true };
  const identities = new AgentIdentityManager({
    authority: authority.url,
    auth: createAuthSlot(human),
    store: memoryStore(),
    features: { isEnabled: () => flag.on },
    client: new AuthorityClient({ authority: authority.url, attempts: 3, ...pacedBy() }),
  });
  const tasks = new AgentTaskManager({ identities });
  onTestFinished(async () => {
    await tasks.close();
    await identities.close();
  });
  return { authority, human, flag, identities, tasks, thread: tasks.thread("thread-1") };
}

type World = Awaited<ReturnType<typeof startWorld>>;

async function startGateway({ authority }: World, upstream: string): Promise<string> {
  const token = await authority.token("resource_server");
  const directory = remoteDirectory(authority.url, { token, revocationDelaySeconds: 0 });
  const gateway = createVerifyingGateway({
    verifier: createVerifier({ directory }),
    upstream,
    accounts: ["acct-1"],
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await gateway.close({ drainMs: 1 });
    await directory.close?.();
  });
  return url;
}

/** Returns a function that dials once and returns the first message, and the credentials of the handshakes that were sent. */
function dialer({ thread }: Pick<World, "thread">, origin: string) {
  const sent: string[] = [];
  const dial = dialWithAssertion(thread, { origins: [origin] });
  const url = `${origin.replace("http", "ws")}/v1/realtime`;
  const hello = async () => {
    const socket = await dial(url, (headers) => {
      const names = Object.keys(headers).filter((name) => /^authorization$/i.test(name));
      sent.push(names.map((name) => headers[name]).join());
      return new WebSocket(url, { headers });
    });
    const [message] = await new Promise<unknown[]>((resolve) =>
      socket.once("message", (...args) => resolve(args)),
    );
    socket.terminate();
    return String(message);
  };
  return { hello, sent };
}

const isAssertion = (credential: string) => credential.startsWith("AgentAssertion ");

describe("a WebSocket", () => {
  test("that is refused with 401 for its task is dialled once more in a new one, through the gateway", async () => {
    const world = await startWorld();
    const { authority } = world;
    const upstream = await startServer();
    const { hello, sent } = dialer(world, await startGateway(world, upstream.url));
    expect(await hello()).toBe("hello");
    const [task] = await authority.registry.listTasks();
    await authority.registry.revokeTask(task?.taskId ?? "");
    expect(await hello()).toBe("hello");
    expect(await hello()).toBe("hello");
    expect(sent).toHaveLength(4);
    expect(sent.every(isAssertion)).toBe(true);
    // The one that was refused never came there.
    expect(upstream.handshakes).toHaveLength(3);
    const [first, second, third] = upstream.handshakes.map(
      ({ headers }) => headers["x-agent-task-id"],
    );
    expect(first).toBe(task?.taskId);
    expect(second).not.toBe(first);
    expect(third).toBe(second);
    expect(authority.count("register_agent")).toBe(1);
    expect(authority.count("register_task")).toBe(2);
  });

  test("that is refused for ever costs one registration, and two dials for the first attempt alone", async () => {
    const world = await startWorld();
    const server = await startServer(async () => 401);
    const { hello, sent } = dialer(world, server.url);
    for (let turn = 0; turn < 20; turn += 1) {
      await expect(hello()).rejects.toMatchObject({ code: "task_revoked" });
    }
    expect(server.handshakes).toHaveLength(21);
    expect(sent.every(isAssertion)).toBe(true);
    expect(world.authority.count("register_task")).toBe(2);
  });

  test("is one of 100 that are refused together, and they register one new task", async () => {
    const world = await startWorld();
    const all = gate();
    const server = await startServer(async () => {
      const count = server.handshakes.length;
      if (count > 100) return undefined;
      if (count === 100) all.open();
      await all.opened;
      return 401;
    });
    const { hello, sent } = dialer(world, server.url);
    const answers = await Promise.all(Array.from({ length: 100 }, () => hello()));
    expect(new Set(answers)).toEqual(new Set(["hello"]));
    expect(server.handshakes).toHaveLength(200);
    expect(sent.every(isAssertion)).toBe(true);
    expect(world.authority.count("register_task")).toBe(2);
  });
});

describe("while the feature is on", () => {
  test("nothing is dialled under the human's token: not ahead of the turn, not when the registration fails", async () => {
    const world = await startWorld();
    const server = await startServer();
    const { hello, sent } = dialer(world, server.url);
    const [humanToken] = (await world.authority.registry.listAccessTokens()).filter(
      ({ role }) => role === "human",
    );
    await world.authority.registry.revokeAccessToken(humanToken?.id ?? "");
    world.thread.prewarm();
    await expect(hello()).rejects.toMatchObject({ code: "unauthenticated" });
    await expect(hello()).rejects.toMatchObject({ code: "unauthenticated" });
    expect(sent).toEqual([]);
    expect(server.handshakes).toEqual([]);
  });

  test("a turn that was prewarmed under it dials with its assertion; once it is off, as its caller made it, or with the human's token where its origin is named", async () => {
    const world = await startWorld();
    const server = await startServer();
    const { hello, sent } = dialer(world, server.url);
    world.thread.prewarm();
    expect(await hello()).toBe("hello");
    expect(sent.map(isAssertion)).toEqual([true]);
    expect(world.authority.count("register_task")).toBe(1);
    world.flag.on = false;
    expect(await hello()).toBe("hello");
    expect(sent[1]).toBe("");
    const tasks = new AgentTaskManager({
      identities: world.identities,
      bearerOrigins: [server.url],
    });
    onTestFinished(() => tasks.close());
    const named = dialer({ thread: tasks.thread("thread-1") }, server.url);
    expect(await named.hello()).toBe("hello");
    expect(named.sent).toEqual([`Bearer ${world.human.accessToken}`]);
    expect(world.authority.count("register_task")).toBe(1);
  });
});
