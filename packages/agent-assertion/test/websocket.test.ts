import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent, WebSocket as UndiciWebSocket } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import WebSocket from "ws";
import { AssertionSigner, createProblem } from "../src/index.js";
import { assertionInterceptor } from "../src/undici.js";
import { assertionHeaders, dialWithAssertion } from "../src/websocket.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { membersOf, NOW, TASK_ID } from "./fixtures.js";
import { bearerFor, first, ScriptedSource, second } from "./signed-fetch.js";
import { startWebSocketServer } from "./websocket-server.js";

const taskOf = (field: string | undefined) =>
  field?.startsWith("AgentAssertion ") ? membersOf(field).task_id : field;

// Lets in only clients with the second task.
const onlySecond = ({ headers }: IncomingMessage) =>
  taskOf(headers.authorization) === "task-2" ? undefined : createProblem("task_revoked");

async function setUp(answer: Parameters<typeof startWebSocketServer>[0] = () => undefined) {
  const server = await startWebSocketServer(answer);
  const source = new ScriptedSource();
  const warnings: string[] = [];
  const options = {
    origins: [server.url],
    onWarning: (message: string) => warnings.push(message),
  };
  return { server, source, warnings, options, origin: server.url.replace("ws", "http") };
}

function connect(url: string) {
  return (headers: Record<string, string>) => {
    const socket = new WebSocket(url, { headers });
    onTestFinished(() => socket.terminate());
    return socket;
  };
}

describe("a dial of ws", () => {
  test.each(["no url", "ftp://127.0.0.1/", "data:,x"])("refuses to go to %s", async (url) => {
    const { source, options } = await setUp();
    const dial = dialWithAssertion(source, options);
    await expectFailure(() => dial(url, () => expect.unreachable()), "invalid_request");
    await expectFailure(() => assertionHeaders(source, options).headers(url), "invalid_request");
  });

  test("carries an assertion, and its first message is heard", async () => {
    const { server, source, options, origin } = await setUp();
    const dial = dialWithAssertion(source, options);
    const socket = await dial(`${server.url}/v1?x`, connect(`${server.url}/v1?x`));
    const [message] = await once(socket, "message");
    expect(String(message)).toBe("welcome");
    // From here on only the caller's own listeners get an error.
    expect(socket.listenerCount("error")).toBe(0);
    expect(server.targets).toEqual(["/v1?x"]);
    expect(server.dials.map(taskOf)).toEqual([TASK_ID]);
    expect(source.heard).toEqual([["accepted", first, origin]]);
  });

  test("is signed again at each reconnect", async () => {
    const { server, source, options } = await setUp();
    const clock = { now: NOW };
    const signer = new AssertionSigner({ now: () => (clock.now += 1000) });
    const dial = dialWithAssertion(source, { ...options, signer });
    for (let i = 0; i < 2; i += 1) (await dial(server.url, connect(server.url))).terminate();
    expect(new Set(server.dials).size).toBe(2);
    expect(source.signals).toHaveLength(2);
  });

  test("is made once more on 401, with another credential, and the refused socket stays silent", async () => {
    const { server, source, options, origin } = await setUp(onlySecond);
    source.next = second;
    const told: string[] = [];
    const dial = dialWithAssertion(source, options);
    const socket = await dial(server.url, (headers) => {
      const made = connect(server.url)(headers);
      for (const event of ["open", "error", "close"]) made.on(event, () => told.push(event));
      return made;
    });
    await once(socket, "message");
    expect(told).toEqual(["open"]);
    expect(server.dials.map(taskOf)).toEqual([TASK_ID, "task-2"]);
    expect(source.heard).toEqual([
      ["refused", first, { code: "task_revoked", origin }],
      ["accepted", second, origin],
    ]);
  });

  test.each([
    ["no other credential", undefined, 1],
    ["a second one that is refused too", { ...second, taskId: "task-3" }, 2],
  ])("rejects with the refusal's code when there is %s", async (_, next, dials) => {
    const { server, source, options } = await setUp(onlySecond);
    source.next = next;
    const dial = dialWithAssertion(source, options);
    await expectFailure(() => dial(server.url, connect(server.url)), "task_revoked");
    expect(server.dials).toHaveLength(dials);
    expect(source.heard.map(([event]) => event)).toEqual(["refused"]);
  });

  test.each([
    [401, "unauthenticated"],
    [403, "forbidden"],
    [429, "rate_limited"],
    [503, "server_error"],
    [302, "refused"],
  ])("rejects an answer %i without a code with %s", async (status, code) => {
    const { server, source, options } = await setUp(() => ({
      ...createProblem("missing"),
      status: status as 401,
      headers: {} as never,
      body: "no",
    }));
    const dial = dialWithAssertion(source, options);
    await expectFailure(() => dial(server.url, connect(server.url)), code);
    expect(source.heard.map(([event]) => event)).toEqual([status === 401 ? "refused" : "accepted"]);
  });

  test("ends the connection of a refused dial, whose answer may go on for ever", async () => {
    const closed = Promise.withResolvers<void>();
    const server = createServer();
    server.on("upgrade", (_, socket) => {
      // Ends with a reset where the client had not read everything.
      socket.on("close", () => closed.resolve()).on("error", () => {});
      socket.on("end", () => socket.destroy()).resume();
      socket.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\n");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const dial = dialWithAssertion(new ScriptedSource(), { origins: [url] });
    await expectFailure(() => dial(url, connect(url)), "unauthenticated");
    await closed.promise;
  });

  test("rejects with the socket's own error, and with the source's", async () => {
    const { server, source, options } = await setUp();
    const dial = dialWithAssertion(source, { ...options, origins: ["ws://127.0.0.1:1"] });
    const url = "ws://127.0.0.1:1";
    expect(await failureOf(() => dial(url, connect(url)))).toMatchObject({ code: "ECONNREFUSED" });
    const failure = new Error("no task");
    source.credential = () => Promise.reject(failure);
    const other = dialWithAssertion(source, options);
    expect(await failureOf(() => other(server.url, connect(server.url)))).toBe(failure);
    expect(server.dials).toEqual([]);
  });

  test("carries a human's bearer only to the origins that it names", async () => {
    const { server, source, options, origin } = await setUp();
    const dial = dialWithAssertion(source, options);
    source.current = bearerFor([origin]);
    await dial(server.url, connect(server.url));
    source.current = bearerFor([]);
    await expectFailure(() => dial(server.url, connect(server.url)), "unauthenticated");
    expect(server.dials).toEqual(["Bearer human-secret"]);
  });

  test("ends when its signal says so, before it and while it waits", async () => {
    const { server, source, options } = await setUp();
    const dial = dialWithAssertion(source, options);
    const reason = new Error("no longer wanted");
    const signal = AbortSignal.abort(reason);
    const never = () => expect.unreachable();
    expect(await failureOf(() => dial(server.url, never, { signal }))).toBe(reason);
    const controller = new AbortController();
    const dialling = dial(
      server.url,
      (headers) => {
        queueMicrotask(() => controller.abort(reason));
        return connect(server.url)(headers);
      },
      { signal: controller.signal },
    );
    expect(await failureOf(() => dialling)).toBe(reason);
  });

  test("has the caller's own fields alone elsewhere (G-C1)", async () => {
    const { server, source, options } = await setUp();
    const dial = dialWithAssertion(source, options);
    const elsewhere = await startWebSocketServer(() => undefined);
    const headers = { Authorization: "Bearer own" };
    await dial(elsewhere.url, connect(elsewhere.url), { headers });
    expect([server.dials, elsewhere.dials]).toEqual([[], ["Bearer own"]]);
    expect(source.signals).toEqual([]);
  });

  test("replaces a user name in the URL, refuses it, or keeps it (G-C2)", async () => {
    const { server, source, warnings, options } = await setUp();
    const url = server.url.replace("//", "//own-secret@");
    await dialWithAssertion(source, options)(url, connect(url));
    const refusing = dialWithAssertion(source, { ...options, ownAuthorization: "refuse" });
    await expectFailure(() => refusing(url, connect(url)), "invalid_request");
    await dialWithAssertion(source, { ...options, ownAuthorization: "keep" })(url, connect(url));
    expect(server.dials.map(taskOf)).toEqual([TASK_ID, expect.stringMatching(/^Basic /)]);
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).not.toContain("own-secret");
  });

  test.each(["replace", "keep"] as const)(
    "ends with refused when its socket follows a redirect, and nothing arrives there: %s (G-C5)",
    async (ownAuthorization) => {
      const elsewhere = await startWebSocketServer(() => undefined);
      const { server, source, options } = await setUp(() => ({
        ...createProblem("missing"),
        status: 302,
        headers: { location: elsewhere.url },
        body: "",
      }));
      const dial = dialWithAssertion(source, { ...options, ownAuthorization });
      const headers = { authorization: "own" };
      const follow = (fields: Record<string, string>) =>
        new WebSocket(server.url, { headers: fields, followRedirects: true });
      await expectFailure(() => dial(server.url, follow, { headers }), "refused");
      expect([server.dials.length, elsewhere.dials]).toEqual([1, []]);
    },
  );
});

describe("100 dials that are refused together", () => {
  test("tell their own credential each, and are made once more each", async () => {
    const { server, source, options } = await setUp(({ headers }) =>
      taskOf(headers.authorization)?.startsWith("old") ? createProblem("task_revoked") : undefined,
    );
    let given = 0;
    const told: unknown[] = [];
    source.credential = async () => ({ ...first, taskId: `old-${given++}` });
    source.refused = async (credential) => {
      told.push(credential.kind === "agent" ? credential.taskId : undefined);
      return second;
    };
    const dial = dialWithAssertion(source, options);
    await Promise.all(Array.from({ length: 100 }, () => dial(server.url, connect(server.url))));
    expect([told.length, new Set(told).size, server.dials.length]).toEqual([100, 100, 200]);
  });
});

describe("the headers of a dial", () => {
  test("serve undici's WebSocket, fresh at every reconnect", async () => {
    const { server, source, options, origin } = await setUp();
    const assertions = assertionHeaders(source, options);
    for (const credential of [first, second]) {
      source.current = credential;
      const headers = await assertions.headers(server.url, { headers: { "x-own": "1" } });
      expect(headers["x-own"]).toBe("1");
      const socket = new UndiciWebSocket(server.url, { headers });
      const closed = once(socket, "close");
      await once(socket, "open");
      assertions.opened(headers);
      socket.close();
      await closed;
    }
    expect(server.dials.map(taskOf)).toEqual([TASK_ID, "task-2"]);
    expect(source.heard).toEqual([
      ["accepted", first, origin],
      ["accepted", second, origin],
    ]);
  });

  test("are given once more on 401, and only then", async () => {
    const { server, source, options, origin } = await setUp();
    source.next = second;
    const assertions = assertionHeaders(source, options);
    const refusal = { statusCode: 401, headers: {} };
    const { headers, body } = createProblem("task_expired");
    const own = await assertions.headers(server.url);
    const again = await assertions.refused(own, { statusCode: 401, headers, body });
    expect(taskOf(again?.authorization)).toBe("task-2");
    expect(await assertions.refused(again ?? expect.fail(), refusal)).toBeUndefined();
    expect(await assertions.refused(own, { statusCode: 503, headers: {} })).toBeUndefined();
    expect(await assertions.refused({ ...own }, refusal)).toBeUndefined();
    expect(source.heard[0]).toEqual(["refused", first, { code: "task_expired", origin }]);
    expect(source.heard.map(([event]) => event)).toEqual(["refused", "accepted"]);
  });

  test("are the caller's own elsewhere", async () => {
    const { source, options } = await setUp();
    const assertions = assertionHeaders(source, options);
    const own = { AUTHORIZATION: "Bearer own" };
    expect(await assertions.headers("wss://other.example/", { headers: own })).toEqual(own);
    expect(await assertions.headers("wss://other.example/")).toEqual({});
    expect(source.signals).toEqual([]);
  });
});

describe("undici's WebSocket over a dispatcher that signs", () => {
  test("recovers from 401 by itself", async () => {
    const { server, source, origin } = await setUp(onlySecond);
    source.next = second;
    const agent = new Agent();
    onTestFinished(() => agent.destroy());
    const dispatcher = agent.compose(assertionInterceptor(source, { origins: [origin] }));
    const socket = new UndiciWebSocket(server.url, { dispatcher });
    const [event] = await once(socket, "message");
    expect((event as MessageEvent).data).toBe("welcome");
    expect(server.dials.map(taskOf)).toEqual([TASK_ID, "task-2"]);
    const closed = once(socket, "close");
    socket.close();
    await closed;
  });
});
