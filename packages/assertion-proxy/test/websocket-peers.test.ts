import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { sendRaw } from "./raw-client.js";
import { OK } from "./raw-upstream.js";
import { startGateway, type TestGateway } from "./start-gateway.js";
import { HANDSHAKE, SWITCH } from "./websocket-bytes.js";

interface Peers {
  readonly gateway: TestGateway;
  readonly server: WebSocketServer;
  readonly client: WebSocket;
  /** The upstream's end of the client's WebSocket. */
  readonly far: WebSocket;
  /** What the upstream was asked. */
  readonly asked: IncomingMessage;
}

async function openPeers(protocols: string[] = []): Promise<Peers> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
  await once(server, "listening");
  onTestFinished(() => {
    for (const far of server.clients) far.terminate();
    server.close();
  });
  const gateway = await startGateway({
    upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    recheckMs: 10,
  });
  const connected = once(server, "connection") as Promise<[WebSocket, IncomingMessage]>;
  const client = new WebSocket(`${gateway.url.replace("http", "ws")}/v1/responses`, protocols, {
    headers: { authorization: gateway.authorization.slice("Authorization: ".length) },
    perMessageDeflate: true,
  });
  onTestFinished(() => client.terminate());
  const [[far, asked]] = await Promise.all([connected, once(client, "open")]);
  return { gateway, server, client, far, asked };
}

describe("a client and a server of WebSockets", () => {
  test("talk through the gateway, compressed as they agreed", async () => {
    const { client, far, asked } = await openPeers(["first", "second"]);
    expect(client.extensions).toBe("permessage-deflate");
    expect(far.extensions).toBe("permessage-deflate");
    expect(client.protocol).toBe("first");
    expect(asked.headers["x-agent-task-id"]).toBe("task_1");
    expect(asked.headers).not.toHaveProperty("authorization");
    for (const text of ["short", "long ".repeat(100_000)]) {
      client.send(text);
      expect(String((await once(far, "message"))[0])).toBe(text);
      far.send(text.toUpperCase());
      expect(String((await once(client, "message"))[0])).toBe(text.toUpperCase());
    }
    const bytes = randomBytes(3_000_000);
    far.send(bytes);
    expect(bytes.equals((await once(client, "message"))[0] as Buffer)).toBe(true);
  });

  test("ping each other, and close with a status that both receive", async () => {
    const { client, far, gateway } = await openPeers();
    far.ping("are you there");
    expect(String((await once(far, "pong"))[0])).toBe("are you there");
    const heard = [once(far, "close"), once(client, "close")];
    client.close(4001, "enough");
    for (const [status, reason] of await Promise.all(heard)) {
      expect([status, String(reason)]).toEqual([4001, "enough"]);
    }
    expect(await gateway.entry(0)).toMatchObject({ status: 101, task_id: "task_1" });
    expect(gateway.audit[0]).not.toHaveProperty("code");
  });

  test.each([
    ["drain", 1001, "server_error"],
    ["revocation", 1008, "task_revoked"],
  ])("both receive the reason why the gateway ends it: %s", async (what, status, reason) => {
    const { client, far, gateway } = await openPeers();
    client.send("hello");
    await once(far, "message");
    const closes = [client, far].map((peer) => once(peer, "close"));
    if (what === "drain") await gateway.gateway.close({ drainMs: 1 });
    else gateway.task.state = "revoked";
    for (const [seenStatus, seenReason] of await Promise.all(closes)) {
      expect([seenStatus, String(seenReason)]).toEqual([status, reason]);
    }
  });

  test("the client receives the status of a refusal", async () => {
    const { gateway } = await openPeers();
    const refused = new WebSocket(`${gateway.url.replace("http", "ws")}/v1`);
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(401);
    expect(response.headers["www-authenticate"]).toBe('AgentAssertion error="missing"');
    expect(await response.setEncoding("utf8").toArray()).toHaveLength(1);
  });
});

describe("an open WebSocket holds back", () => {
  const TOTAL = 32 * 1024 * 1024;

  function pour(to: Writable): { readonly sent: () => number } {
    const piece = Buffer.alloc(65_536, 7);
    let sent = 0;
    const go = (): void => {
      while (sent < TOTAL) {
        sent += piece.length;
        if (!to.write(piece)) return;
      }
      to.off("drain", go);
      to.end();
    };
    to.on("drain", go);
    go();
    return { sent: () => sent };
  }

  async function readAll(from: Socket): Promise<number> {
    let bytes = 0;
    for await (const part of from) bytes += (part as Buffer).length;
    return bytes;
  }

  /** Both ends of a tunnel, of which nothing but the handshake was read. */
  async function openSilent() {
    const accepted: Socket[] = [];
    const server = createServer((socket) => {
      accepted.push(socket);
      socket.on("error", () => {});
      socket.on("data", function answer(head: Buffer) {
        if (!head.includes("upgrade: websocket")) {
          socket.write(OK);
          return;
        }
        socket.off("data", answer).pause();
        socket.write(SWITCH);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      for (const socket of accepted) socket.destroy();
      server.close();
    });
    const gateway = await startGateway({
      upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    const client = connect(Number(new URL(gateway.url).port), "127.0.0.1");
    onTestFinished(() => void client.destroy());
    client.write(gateway.request("GET", "/v1", HANDSHAKE), "latin1");
    await once(client, "data");
    client.pause();
    return { gateway, client, far: accepted[0] as Socket };
  }

  async function letOthersPass(gateway: TestGateway): Promise<void> {
    for (let count = 0; count < 100; count += 1) {
      await sendRaw(gateway.url, gateway.request("GET", "/v1", "Connection: close\r\n"));
    }
  }

  test.each(["client", "upstream"])("the %s while the other does not read", async (side) => {
    const { gateway, client, far } = await openSilent();
    const [from, to] = side === "client" ? [client, far] : [far, client];
    const { sent } = pour(from);
    await letOthersPass(gateway);
    expect(sent()).toBeLessThan(TOTAL / 2);
    expect(await readAll(to)).toBe(TOTAL);
  });
});
