import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type Duplex, Readable } from "node:stream";
import * as undici8 from "undici";
import * as undici6 from "undici-6";
import * as undici7 from "undici-7";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { AssertionSigner, createProblem } from "../src/index.js";
import {
  type AssertionInterceptor,
  type AssertionInterceptorOptions,
  assertionInterceptor,
  repeatableBody,
} from "../src/undici.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { membersOf, NOW, TASK_ID } from "./fixtures.js";
import {
  bearerFor,
  credentialsOf,
  first,
  refusal,
  ScriptedSource,
  second,
  start,
  stopServers,
} from "./signed-fetch.js";

afterEach(stopServers);

type Fetch = (
  url: string,
  init: { dispatcher: never; method: string; body?: string; signal?: AbortSignal },
) => Promise<{ status: number; text(): Promise<string> }>;
interface Call {
  readonly method?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
}
type Caller = (dispatcher: object, url: string, call?: Call) => Promise<[number, string]>;

type Major = 6 | 7 | 8;
const MAJORS: readonly Major[] = [6, 7, 8];

// What the tests call is alike in all three.
const asDispatcher = (dispatcher: object) => dispatcher as undici8.Dispatcher;

const byFetch =
  (fetcher: unknown): Caller =>
  async (dispatcher, url, { method = "GET", ...call } = {}) => {
    const init = { dispatcher: dispatcher as never, method, ...call };
    const answer = await (fetcher as Fetch)(url, init);
    return [answer.status, await answer.text()];
  };

const CALLERS: Record<string, Caller> = {
  "its own request": async (dispatcher, url, { method = "GET", body, signal } = {}) => {
    const { origin, pathname } = new URL(url);
    const options = { origin, path: pathname, method, body: body ?? null, signal: signal ?? null };
    const answer = await asDispatcher(dispatcher).request(options);
    return [answer.statusCode, await answer.body.text()];
  },
  "the fetch of undici 6": byFetch(undici6.fetch),
  "the fetch of undici 7": byFetch(undici7.fetch),
  "the fetch of undici 8": byFetch(undici8.fetch),
  "Node's fetch": byFetch(fetch),
};

const redirects = { maxRedirections: 5 };
const retries = { maxRetries: 1, minTimeout: 1 };

// Each major's own types take the interceptor.
function compose(major: Major, signed: AssertionInterceptor) {
  if (major === 6) {
    const { redirect, retry } = undici6.interceptors;
    const agent = new undici6.Agent();
    const following = agent.compose(signed, redirect(redirects), retry(retries));
    return { agent, dispatcher: agent.compose(signed), following };
  }
  if (major === 7) {
    const { redirect, retry } = undici7.interceptors;
    const agent = new undici7.Agent();
    const following = agent.compose(signed, redirect(redirects), retry(retries));
    return { agent, dispatcher: agent.compose(signed), following };
  }
  const { redirect, retry } = undici8.interceptors;
  const agent = new undici8.Agent();
  const following = agent.compose(signed, redirect(redirects), retry(retries));
  return { agent, dispatcher: agent.compose(signed), following };
}

async function setUp(major: Major, options: Partial<AssertionInterceptorOptions> = {}) {
  const server = await start();
  const source = new ScriptedSource();
  const interceptor = assertionInterceptor(source, {
    origins: [server.url],
    signer: new AssertionSigner({ now: () => NOW }),
    onWarning: () => {},
    ...options,
  });
  const { agent, dispatcher, following } = compose(major, interceptor);
  onTestFinished(() => agent.destroy());
  return { server, source, dispatcher, following };
}

test.each([
  {},
  { onRequestStart() {} },
  { onConnect() {} },
  { onError() {}, onResponseError() {} },
])("a handler of an unknown form is refused before anything is sent: %o", async (handler) => {
  const source = new ScriptedSource();
  const dispatched: unknown[] = [];
  const named = "https://api.example";
  const dispatch = assertionInterceptor(source, { origins: [named] })((options: object) => {
    dispatched.push(options);
    return true;
  });
  for (const origin of [named, "https://elsewhere.example"]) {
    const run = async () => dispatch({ origin, path: "/", method: "GET" }, handler);
    await expectFailure(run, "config_invalid");
  }
  expect([dispatched, source.signals]).toEqual([[], []]);
});

describe.each(MAJORS)("over a dispatcher of undici %s", (major) => {
  describe.each(Object.entries(CALLERS))("%s", (name, call) => {
    test("is rejected when there is no credential", async () => {
      const { server, source, dispatcher } = await setUp(major);
      const failure = new Error("no task");
      source.credential = () => Promise.reject(failure);
      const error = await failureOf(() => call(dispatcher, server.url));
      expect(error === failure || (error as Error).cause === failure).toBe(true);
      expect(server.requests).toEqual([]);
    });

    test("is rejected when the connection ends", async () => {
      const { server, dispatcher } = await setUp(major);
      server.answer({ kind: "reset" }, { kind: "reset" });
      const run = () => call(dispatcher, server.url, { method: "POST", body: "x" });
      expect(await failureOf(run)).toBeInstanceOf(Error);
    });

    test("is rejected by its signal while it waits for its credential, and for its answer", async () => {
      const { server, source, dispatcher } = await setUp(major);
      const waiting = new AbortController();
      source.credential = () => {
        queueMicrotask(() => waiting.abort());
        return new Promise(() => {});
      };
      const { signal } = waiting;
      expect(await failureOf(() => call(dispatcher, server.url, { signal }))).toMatchObject({
        name: "AbortError",
      });
      expect(server.requests).toEqual([]);

      const sent = new AbortController();
      source.credential = async () => first;
      const other = await start(() => {
        sent.abort();
        return { kind: "hold", until: Promise.resolve() };
      });
      const signing = await setUp(major, { origins: [other.url] });
      const run = () => call(signing.dispatcher, other.url, { signal: sent.signal });
      expect(await failureOf(run)).toMatchObject({ name: "AbortError" });
      expect(credentialsOf(other)).toEqual([TASK_ID]);
    });

    test("is signed, and only for the named origin", async () => {
      const { server, source, dispatcher } = await setUp(major);
      const other = await start();
      const post = { method: "POST", body: "text" };
      expect(await call(dispatcher, `${server.url}/v1/x`, post)).toEqual([200, '{"ok":true}']);
      expect(await call(dispatcher, other.url)).toEqual([200, '{"ok":true}']);
      expect(server.requests[0]).toMatchObject({ method: "POST", url: "/v1/x", body: "text" });
      expect([credentialsOf(server), credentialsOf(other)]).toEqual([[TASK_ID], [undefined]]);
      expect(source.heard).toEqual([["accepted", first, server.url]]);
    });

    test("goes out as it is while the feature is off", async () => {
      const { server, source, dispatcher } = await setUp(major);
      source.current = { kind: "none", reason: "feature_off" };
      expect(await call(dispatcher, server.url)).toEqual([200, '{"ok":true}']);
      expect(credentialsOf(server)).toEqual([undefined]);
    });

    test("is sent once more on 401, and gets the second refusal whole", async () => {
      const { server, source, dispatcher } = await setUp(major);
      source.next = second;
      server.answer(refusal);
      expect(await call(dispatcher, server.url)).toEqual([200, '{"ok":true}']);
      const last = createProblem("task_expired");
      server.answer(refusal, last);
      expect(await call(dispatcher, server.url)).toEqual([401, last.body]);
      expect(credentialsOf(server)).toEqual([TASK_ID, "task-2", TASK_ID, "task-2"]);
    });

    test("gets a long answer whole after a repetition", async () => {
      const { server, source, dispatcher } = await setUp(major);
      source.next = second;
      const body = "x".repeat(3 << 20);
      server.answer(refusal, { body });
      const [status, text] = await call(dispatcher, server.url);
      expect([status, text === body]).toEqual([200, true]);
    });

    test("is signed again at each redirect, and not once one led elsewhere", async () => {
      const { server, source, dispatcher, following } = await setUp(major);
      const way = name === "its own request" ? following : dispatcher;
      source.current = bearerFor([server.url]);
      server.answer({ status: 302, headers: { location: "/there" } });
      expect(await call(way, server.url)).toEqual([200, '{"ok":true}']);
      const other = await start(() => ({
        status: 302,
        headers: { location: `${server.url}/back` },
      }));
      server.answer({ status: 302, headers: { location: other.url } });
      expect(await call(way, server.url)).toEqual([200, '{"ok":true}']);
      const bearer = "Bearer human-secret";
      expect(credentialsOf(server)).toEqual([bearer, bearer, bearer, undefined]);
      expect(credentialsOf(other)).toEqual([undefined]);
    });
  });

  test("a repeatable body is sent again on 401", async () => {
    const { server, source, dispatcher } = await setUp(major);
    source.next = second;
    server.answer(refusal);
    const body = repeatableBody(() => Readable.from(["body"]));
    const { origin } = new URL(server.url);
    const options = { origin, path: "/", method: "POST", body } as const;
    expect((await asDispatcher(dispatcher).request(options)).statusCode).toBe(200);
    expect(server.requests.map((request) => request.body)).toEqual(["body", "body"]);
  });

  test("a retry is signed again", async () => {
    const { server, following } = await setUp(major);
    server.answer({ status: 503 });
    expect(await CALLERS["its own request"]?.(following, server.url)).toEqual([200, '{"ok":true}']);
    expect(credentialsOf(server)).toEqual([TASK_ID, TASK_ID]);
  });

  test("fields of several lines, raw fields and trailers arrive as they are", async () => {
    const server = createServer((_, response) => {
      response.writeHead(
        200,
        [
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
          ["X-Own", "\u00e4"],
          ["Trailer", "X-Sum"],
        ].flat(),
      );
      response.addTrailers({ "X-Sum": "3" });
      response.end("body");
    });
    const origin = await listen(server);
    const { dispatcher } = await setUp(major, { origins: [origin] });
    const request = (responseHeaders: "raw" | null) =>
      asDispatcher(dispatcher).request({
        origin,
        path: "/",
        method: "GET",
        responseHeaders,
      });
    const plain = await request(null);
    expect(await plain.body.text()).toBe("body");
    expect(plain.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(plain.trailers).toEqual({ "x-sum": "3" });
    const raw = await request("raw");
    await raw.body.dump();
    const names = (raw.headers as unknown as string[]).filter((_, index) => index % 2 === 0);
    // undici 7 keeps no case above an interceptor.
    expect(names).toContain(major === 7 ? "x-own" : "X-Own");
    // undici 7 joins the lines of one field above an interceptor, for a handler with callbacks.
    if (major === 7) return;
    const cookies = async (fetcher: unknown) =>
      (await (fetcher as typeof fetch)(origin, { dispatcher } as object)).headers;
    for (const fetcher of [undici6.fetch, undici7.fetch, undici8.fetch, fetch]) {
      const fields = await cookies(fetcher);
      expect([fields.getSetCookie(), fields.get("x-own")]).toEqual([["a=1", "b=2"], "\u00e4"]);
    }
  });

  test("an upgrade is signed, and repeated on 401", async () => {
    const server = createServer();
    const tasks: (string | undefined)[] = [];
    server.on("upgrade", ({ headers }: IncomingMessage, socket: Duplex) => {
      tasks.push(membersOf(headers.authorization ?? "").task_id);
      const accepted = "101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello";
      socket.end(
        `HTTP/1.1 ${tasks.length === 1 ? "401 Unauthorized\r\nContent-Length: 0\r\n\r\n" : accepted}`,
      );
    });
    const origin = await listen(server);
    const { source, dispatcher } = await setUp(major, { origins: [origin] });
    source.next = second;
    const upgrade = { origin, path: "/", protocol: "x" };
    const { socket } = await asDispatcher(dispatcher).upgrade(upgrade);
    expect(String((await once(socket, "data"))[0])).toBe("hello");
    expect(tasks).toEqual([TASK_ID, "task-2"]);
    socket.destroy();
  });
});

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
