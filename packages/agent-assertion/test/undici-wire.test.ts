import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { type Duplex, Readable, Writable } from "node:stream";
import { Agent, Client, fetch } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { createProblem } from "../src/index.js";
import { assertionInterceptor, repeatableBody } from "../src/undici.js";
import { failureOf } from "./expect-rejection.js";
import { membersOf, TASK_ID } from "./fixtures.js";
import { ScriptedSource, second } from "./signed-fetch.js";

const taskOf = ({ headers: { authorization = "" } }: IncomingMessage) =>
  authorization === "" ? undefined : membersOf(authorization).task_id;

async function setUp(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = new ScriptedSource();
  source.next = second;
  const agent = new Agent();
  onTestFinished(async () => {
    await agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const dispatcher = agent.compose(assertionInterceptor(source, { origins: [origin] }));
  return { server, origin, source, dispatcher };
}

function refuse(response: ServerResponse) {
  const { status, headers, body } = createProblem("task_revoked");
  response.writeHead(status, headers).end(body);
}

describe("through the interceptor", () => {
  test("informational answers, raw fields and trailers arrive as they are", async () => {
    const { origin, dispatcher } = await setUp((request, response) => {
      if (taskOf(request) !== "task-2") return refuse(response);
      response.writeEarlyHints({ link: "</style>; rel=preload" });
      response.writeHead(200, { Trailer: "X-Check", "X-Own": "1" });
      response.write("body");
      response.addTrailers({ "X-Check": "sum" });
      response.end();
    });
    const infos: number[] = [];
    const answer = await dispatcher.request({
      origin,
      path: "/",
      method: "GET",
      responseHeaders: "raw",
      onInfo: ({ statusCode }) => infos.push(statusCode),
    });
    expect(await answer.body.text()).toBe("body");
    expect(answer.trailers).toEqual({ "x-check": "sum" });
    const raw = answer.headers as unknown as string[];
    expect(raw[raw.indexOf("X-Own") + 1]).toBe("1");
    expect(infos).toEqual([103]);
  });

  test("an upgrade is signed, and repeated on 401", async () => {
    const { server, origin, source } = await setUp(() => {});
    const tasks: (string | undefined)[] = [];
    server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
      tasks.push(taskOf(request));
      if (tasks.length === 1) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
      } else {
        socket.end(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello",
        );
      }
    });
    const client = new Client(origin);
    onTestFinished(() => client.destroy());
    const signing = client.compose(assertionInterceptor(source, { origins: [origin] }));
    const { socket } = await signing.upgrade({ path: "/", protocol: "x" });
    expect(String((await once(socket, "data"))[0])).toBe("hello");
    expect(tasks).toEqual([TASK_ID, "task-2"]);
    socket.destroy();
  });

  test.each(["other.example:443", "/named/path"])(
    "a CONNECT to %s passes without an assertion: what it asks is the proxy's matter",
    async (path) => {
      const { server, origin, source, dispatcher } = await setUp(() => {});
      const fields: IncomingMessage["headers"][] = [];
      server.on("connect", (request: IncomingMessage, socket: Duplex) => {
        fields.push(request.headers);
        socket.end("HTTP/1.1 200 Connected\r\n\r\nhello");
      });
      const { socket } = await dispatcher.connect({ origin, path });
      expect(String((await once(socket, "data"))[0])).toBe("hello");
      expect(fields.map(({ authorization }) => authorization)).toEqual([undefined]);
      expect(source.signals).toEqual([]);
      socket.destroy();
    },
  );

  test("a handler that pauses before there is a connection gets nothing before it resumes", async () => {
    const { origin, dispatcher } = await setUp((_, response) => response.end("body"));
    const events: string[] = [];
    const ended = Promise.withResolvers<void>();
    dispatcher.dispatch(
      { origin, path: "/", method: "GET" },
      {
        onRequestStart: (controller) => controller.pause(),
        async onResponseStart(controller) {
          for (let i = 0; i < 10; i += 1) await new Promise(setImmediate);
          events.push("resumed");
          controller.resume();
        },
        onResponseData: () => void events.push("data"),
        onResponseEnd: () => ended.resolve(),
        onResponseError: (_, error) => ended.reject(error),
      },
    );
    await ended.promise;
    expect(events).toEqual(["resumed", "data"]);
  });

  test("a long refusal flows on by itself when it is handed up", async () => {
    const body = JSON.stringify({ more: "x".repeat(1_000_000) });
    const { origin, source, dispatcher } = await setUp((_, response) => {
      response.writeHead(401, { "content-type": "application/problem+json" }).end(body);
    });
    source.next = undefined;
    const chunks: Buffer[] = [];
    await dispatcher.stream(
      { origin, path: "/", method: "GET" },
      () =>
        new Writable({
          write(chunk, _, done) {
            chunks.push(chunk);
            done();
          },
        }),
    );
    expect(Buffer.concat(chunks).toString() === body).toBe(true);
  });

  test("an abort in the middle of an answer ends it", async () => {
    const { origin, dispatcher } = await setUp((_, response) => {
      response.write("first");
    });
    const controller = new AbortController();
    const { signal } = controller;
    const { body } = await dispatcher.request({ origin, path: "/", method: "GET", signal });
    const run = async () => {
      for await (const chunk of body) if (String(chunk) === "first") controller.abort();
    };
    expect(await failureOf(run)).toMatchObject({ name: "AbortError" });
  });

  test("an abort of fetch reaches the connection", async () => {
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const { origin, dispatcher } = await setUp((request) => {
      request.on("close", () => closed.resolve());
      arrived.resolve();
    });
    const controller = new AbortController();
    const call = fetch(origin, { dispatcher, signal: controller.signal });
    await arrived.promise;
    controller.abort();
    expect(await failureOf(() => call)).toMatchObject({ name: "AbortError" });
    await closed.promise;
  });

  test("a connection that breaks in a refusal's body still has the request sent again", async () => {
    let requests = 0;
    const server = createTcpServer((socket) => {
      socket.once("data", () => {
        requests += 1;
        const head = 'WWW-Authenticate: AgentAssertion error="expired"\r\nContent-Length: 10';
        if (requests > 1)
          socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        else socket.end(`HTTP/1.1 401 Unauthorized\r\n${head}\r\n\r\n{`);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const source = new ScriptedSource();
    source.next = second;
    const client = new Client(origin);
    onTestFinished(() => client.destroy());
    const signing = client.compose(assertionInterceptor(source, { origins: [origin] }));
    const { statusCode, body } = await signing.request({ path: "/", method: "GET" });
    expect([statusCode, await body.text(), requests]).toEqual([200, "ok", 2]);
    source.next = undefined;
    requests = 0;
    const refused = await signing.request({ path: "/", method: "GET" });
    expect(refused.statusCode).toBe(401);
    expect(await failureOf(() => refused.body.text())).toMatchObject({ code: "UND_ERR_SOCKET" });
  });

  test("a body that cannot be made for the repetition fails the request with its error", async () => {
    const { origin, dispatcher } = await setUp((_, response) => refuse(response));
    const failure = new Error("the file is gone");
    let made = 0;
    const body = repeatableBody(() => {
      made += 1;
      if (made > 1) throw failure;
      return Readable.from(["body"]);
    });
    const run = () => dispatcher.request({ origin, path: "/", method: "POST", body });
    expect(await failureOf(run)).toBe(failure);
  });

  test("what a handler throws on a refusal ends its request alone", async () => {
    const { origin, source, dispatcher } = await setUp((_, response) => refuse(response));
    source.next = undefined;
    const failure = new Error("no place to write to");
    const run = () =>
      dispatcher.stream({ origin, path: "/", method: "GET" }, () => {
        throw failure;
      });
    expect(await failureOf(run)).toBe(failure);
  });
});
