import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer, WebSocket as WsWebSocket } from "ws";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startSigningProxy, TOKEN } from "./start-signing-proxy.js";
import { base64, showsToken } from "./token-traces.js";
import { HANDSHAKE, SWITCH } from "./websocket-bytes.js";

const KEY_PROTOCOL = `openai-insecure-api-key.${TOKEN}`;

/** An upstream of WebSockets that echoes, and what it read: every byte, and what it was asked. */
async function startEcho(options: { readonly chooses: boolean }) {
  const asked: IncomingMessage[] = [];
  const seen: string[] = [];
  const server = new WebSocketServer({
    noServer: true,
    ...(options.chooses ? {} : { handleProtocols: () => false }),
  });
  const http = createHttpServer();
  http.on("upgrade", (request: IncomingMessage, socket, head) => {
    asked.push(request);
    server.handleUpgrade(request, socket, head, (peer) => {
      peer.on("message", (data) => peer.send(String(data)));
    });
  });
  const front = createServer((socket) => {
    socket.on("data", (bytes: Buffer) => seen.push(bytes.toString("latin1")));
    http.emit("connection", socket);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  onTestFinished(() => {
    for (const peer of server.clients) peer.terminate();
    front.close();
  });
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  return { url, asked, bytes: () => seen.join("") };
}

interface Client {
  readonly protocol: string;
  readonly echo: (text: string) => Promise<string>;
}

async function openWs(url: string, protocols: string[]): Promise<Client> {
  const client = new WsWebSocket(url, protocols);
  onTestFinished(() => client.terminate());
  await once(client, "open");
  return {
    protocol: client.protocol,
    async echo(text) {
      const heard = once(client, "message");
      client.send(text);
      return String((await heard)[0]);
    },
  };
}

async function openNodes(url: string, protocols: string[]): Promise<Client> {
  const client = new WebSocket(url, protocols);
  onTestFinished(() => client.close());
  await new Promise<void>((resolve, reject) => {
    client.onopen = () => resolve();
    client.onerror = () => reject(new Error("the handshake failed"));
  });
  return {
    protocol: client.protocol,
    echo: (text) =>
      new Promise((resolve) => {
        client.onmessage = ({ data }) => resolve(String(data));
        client.send(text);
      }),
  };
}

describe.each([
  ["the client of ws", openWs],
  ["Node's own WebSocket", openNodes],
] as const)("%s says its token as a subprotocol, and talks", (_, open) => {
  test.each([
    ["with what the upstream chose of the others", ["realtime", KEY_PROTOCOL], "realtime", true],
    ["with the others behind it", [KEY_PROTOCOL, "realtime", "x"], "realtime", true],
    ["having offered nothing else", [KEY_PROTOCOL], KEY_PROTOCOL, true],
    ["with an upstream that chooses none", ["realtime", KEY_PROTOCOL], KEY_PROTOCOL, false],
  ])("%s", async (_, protocols, chosen, chooses) => {
    const upstream = await startEcho({ chooses });
    const signing = await startSigningProxy({ upstream: upstream.url });
    const client = await open(
      `${signing.url.replace("http", "ws")}/v1/realtime?model=x`,
      protocols,
    );
    expect(client.protocol).toBe(chosen);
    expect(await client.echo("hello")).toBe("hello");
    const others = protocols.filter((name) => name !== KEY_PROTOCOL);
    const [asked = expect.unreachable()] = upstream.asked;
    expect(asked.headers["sec-websocket-protocol"]).toBe(
      others.length ? others.join(", ") : undefined,
    );
    expect(asked.headers.authorization).toMatch(/^AgentAssertion /);
    expect(showsToken(upstream.bytes(), TOKEN)).toBe(false);
  });
});

describe("a handshake through the signing proxy", () => {
  async function answerTo(lines: string, answer = SWITCH) {
    const upstream = await startRawUpstream(answer);
    const signing = await startSigningProxy({ upstream: upstream.url });
    const client = await connectRaw(signing.url);
    client.send(`GET /v1 HTTP/1.1\r\nHost: ${signing.host}\r\n${HANDSHAKE}${lines}\r\n`);
    const head = await client.bytes.until("\r\n\r\n");
    return { upstream, signing, client, head };
  }

  test.each(["Origin: https://page.example\r\n", "Sec-Fetch-Site: same-origin\r\n"])(
    "is refused to a page that has the token: %j",
    async (line) => {
      const { upstream, head } = await answerTo(
        `Sec-WebSocket-Protocol: ${KEY_PROTOCOL}\r\n${line}`,
      );
      expect(head).toMatch(/^HTTP\/1\.1 403 /);
      expect(upstream.connections).toHaveLength(0);
    },
  );

  test("is refused with another token as the subprotocol", async () => {
    const { upstream, client } = await answerTo(`Sec-WebSocket-Protocol: ${KEY_PROTOCOL}x\r\n`);
    expect(JSON.parse((await readAnswer(client)).body)).toMatchObject({ code: "unauthenticated" });
    expect(upstream.connections).toHaveLength(0);
  });

  test("without a key is 400, and the proxy serves the next request", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url });
    const lines = HANDSHAKE.replace(/^Sec-WebSocket-Key: .*\r\n/m, "");
    const { status, body } = await sendRaw(signing.url, signing.request("GET", "/v1", lines));
    expect([status, JSON.parse(body).code]).toEqual([400, "invalid_request"]);
    expect(upstream.connections).toHaveLength(0);
    const next = await sendRaw(signing.url, signing.request("GET", "/v1"));
    expect(next).toMatchObject({ status: 200, body: "ok" });
    expect(signing.audit.map(({ status }) => status)).toEqual([400, 200]);
  });

  test("to an upstream that takes no connection is 502", async () => {
    const signing = await startSigningProxy({ upstream: "http://127.0.0.1:1" });
    const { status, body } = await sendRaw(signing.url, signing.request("GET", "/v1", HANDSHAKE));
    expect([status, JSON.parse(body).code]).toEqual([502, "unreachable"]);
    expect(signing.audit).toMatchObject([{ status: 502, code: "unreachable" }]);
  });

  test("is answered as the upstream refuses it", async () => {
    const upstream = await startRawUpstream("HTTP/1.1 404 No\r\ncontent-length: 2\r\n\r\nno");
    const signing = await startSigningProxy({ upstream: upstream.url });
    const answer = await sendRaw(signing.url, signing.request("GET", "/v1", HANDSHAKE));
    expect(answer).toMatchObject({ status: 404, body: "no" });
  });

  test("is 502 when the upstream chose the subprotocol of the token, which it was not offered", async () => {
    const { client } = await answerTo(
      `Sec-WebSocket-Protocol: realtime, ${KEY_PROTOCOL}\r\n`,
      SWITCH.replace("\r\n\r\n", `\r\nSec-WebSocket-Protocol: ${KEY_PROTOCOL}\r\n\r\n`),
    );
    expect(JSON.parse((await readAnswer(client)).body)).toMatchObject({ code: "bad_response" });
  });

  test.each(["Protocol", "Extensions"])(
    "is refused with a token that holds a comma as items of Sec-WebSocket-%s",
    async (name) => {
      const clientToken = "client,token-0123456789";
      const upstream = await startRawUpstream(SWITCH);
      const signing = await startSigningProxy({ upstream: upstream.url, clientToken });
      const client = await connectRaw(signing.url);
      const lines = `X-Api-Key: ${clientToken}\r\nSec-WebSocket-${name}: a, x.${clientToken}`;
      client.send(`GET /v1 HTTP/1.1\r\nHost: ${signing.host}\r\n${HANDSHAKE}${lines}\r\n\r\n`);
      const { status, body } = await readAnswer(client);
      expect([status, JSON.parse(body).code]).toEqual([400, "invalid_request"]);
      expect(body).not.toContain("token-0123456789");
      expect(upstream.connections).toHaveLength(0);
    },
  );

  test("shows the upstream no subprotocol or extension that contains the token (G-P4)", async () => {
    const lines = [
      `Authorization: Bearer ${TOKEN}`,
      `Sec-WebSocket-Protocol: a, bearer.${TOKEN}, ${KEY_PROTOCOL}`,
      `Sec-WebSocket-Protocol: base64.${base64(TOKEN).replaceAll("=", "")}, b`,
      `Sec-WebSocket-Extensions: x; y="${TOKEN}", permessage-deflate`,
    ];
    const { upstream, head } = await answerTo(`${lines.join("\r\n")}\r\n`);
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    const { text } = (await upstream.connection(0)).bytes;
    expect(text).toContain("\r\nsec-websocket-protocol: a, b\r\n");
    expect(text).toContain("\r\nsec-websocket-extensions: permessage-deflate\r\n");
    expect(showsToken(text, TOKEN)).toBe(false);
  });
});
