import { EventEmitter } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import axios from "axios";
import Fastify from "fastify";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { assertionAdapter } from "../src/axios.js";
import { agentAssertion as onExpress } from "../src/express.js";
import { agentAssertion as onFastify } from "../src/fastify.js";
import { withAgent } from "../src/handler.js";
import { agentAssertion as onHono } from "../src/hono.js";
import { requireAgent } from "../src/node.js";
import { dialWithAssertion } from "../src/websocket.js";
import { admitUpgrades } from "../src/ws.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { SceneDirectory, verifierOf } from "./middlewares/scene.js";
import { listen } from "./middlewares/site.js";
import { ScriptedSource, start, stopServers } from "./signed-fetch.js";

afterEach(stopServers);

const verifier = verifierOf(new SceneDirectory());
// What would let a request without an assertion go on.
const options = { verifier, onMissing: "pass" } as const;
const reached = () => expect.unreachable("the request went on");

const incoming = { rawHeaders: [] as string[] } as IncomingMessage;
const response = { writeHead() {} } as unknown as ServerResponse;
const request = new Request("https://api.example/");
const honoContext = { req: { raw: request }, set() {} };

type Call = (...args: readonly unknown[]) => unknown;

// Koa's and Nest's are beside their own tests.
const CALLS: readonly [string, Call, readonly unknown[]][] = [
  ["/express, with nothing", onExpress(options) as Call, []],
  ["/express, as Koa calls", onExpress(options) as Call, [{ req: incoming }, reached]],
  ["/express, as Hono calls", onExpress(options) as Call, [honoContext, reached]],
  [
    "/express, as Fastify calls",
    onExpress(options) as Call,
    [{ raw: incoming }, { raw: response }, reached],
  ],
  ["/express, without next", onExpress(options) as Call, [incoming, response]],
  [
    "/node, as Bun.serve and Deno.serve call",
    requireAgent(verifier, reached) as Call,
    [request, {}],
  ],
  ["/node, with an event", requireAgent(verifier, reached) as Call, [{ rawPath: "/" }, {}]],
  ["/hono, as Express calls", onHono(options) as Call, [incoming, response, reached]],
  ["/hono, as Koa calls", onHono(options) as Call, [{ req: incoming, res: response }, reached]],
  ["/hono, without next", onHono(options) as Call, [honoContext]],
  ["/hono, with a context of another form", onHono(options) as Call, [{ request }, reached]],
  ["/handler, as Node calls", withAgent(verifier, reached, options) as Call, [incoming, response]],
  ["/handler, as SvelteKit calls", withAgent(verifier, reached, options) as Call, [{ request }]],
  ["/handler, with nothing", withAgent(verifier, reached, options) as Call, []],
];

describe("a server that calls in a form that is not known", () => {
  test.each(CALLS)("is stopped by config_invalid at once: %s (G-M14)", async (_, call, args) => {
    await expectFailure(() => call(...args), "config_invalid");
  });

  test.each<[string, readonly unknown[]]>([
    ["with nothing", []],
    ["with a Request", [request]],
    ["without a socket", [incoming]],
  ])("gets no upgrade: %s (G-M14)", async (_, args) => {
    const webSockets = new WebSocketServer({ noServer: true });
    webSockets.on("connection", reached);
    const listener = admitUpgrades(webSockets, options) as Call;
    await expectFailure(() => listener(...args), "config_invalid");
  });
});

test.each(["4.29.1", "6.0.0"])(
  "Fastify %s does not start with the plugin (G-M14)",
  async (version) => {
    const app = Fastify();
    onTestFinished(() => app.close());
    Object.defineProperty(app, "version", { value: version });
    void app.register(onFastify, { verifier });
    const error = await failureOf(async () => app.ready());
    expect(error).toMatchObject({ code: "FST_ERR_PLUGIN_VERSION_MISMATCH" });
  },
);

describe("axios of an unknown form", () => {
  const { AxiosError, AxiosHeaders } = axios;
  const getUri = () => "";
  const getAdapter = () => reached;
  const known = { AxiosError, AxiosHeaders, getAdapter, getUri };

  test.each(Object.keys(known))("is refused without %s", async (name) => {
    const origins = ["https://api.example"];
    const make = () =>
      assertionAdapter({ ...known, [name]: undefined } as never, new ScriptedSource(), { origins });
    const error = await failureOf(make);
    expect(error).toMatchObject({
      code: "config_invalid",
      message: `axios.${name} must be a function`,
    });
  });

  test.each<[string, (url: string) => object]>([
    ["a URL of its own class", (url) => ({ url: new URL(url), headers: new AxiosHeaders() })],
    ["a URL elsewhere", (url) => ({ request: { url }, headers: new AxiosHeaders() })],
    ["a base URL of its own class", (url) => ({ baseURL: { url }, headers: new AxiosHeaders() })],
    ["headers of another form", (url) => ({ url, headers: { accept: "x" } })],
    ["no headers", (url) => ({ url })],
  ])("sends nothing for a call with %s", async (_, configOf) => {
    const server = await start();
    const adapter = assertionAdapter(axios, new ScriptedSource(), { origins: [server.url] });
    await expectFailure(() => adapter(configOf(server.url) as never), "config_invalid");
    expect(server.requests).toEqual([]);
  });
});

test("a dial fails whose socket is not one of ws, and the socket is closed", async () => {
  const port = await listen(createServer());
  const url = `ws://127.0.0.1:${port}`;
  const dial = dialWithAssertion(new ScriptedSource(), { origins: [url] });
  let closed = 0;
  for (const socket of [
    undefined,
    new EventEmitter(),
    Object.assign(new EventEmitter(), { close: () => closed++ }),
  ]) {
    await expectFailure(() => dial(url, () => socket as never), "config_invalid");
  }
  expect(closed).toBe(1);
});
