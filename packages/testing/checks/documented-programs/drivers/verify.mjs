import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
// @boundaries-ignore installed beside the programs
import { createVerifier } from "@countersign/agent-assertion";
// @boundaries-ignore installed beside the programs
import { withAssertion } from "@countersign/agent-assertion/fetch";
// @boundaries-ignore installed beside the programs
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
// @boundaries-ignore installed beside the programs
import { dialWithAssertion } from "@countersign/agent-assertion/websocket";
// @boundaries-ignore installed beside the programs
import WebSocket from "ws";
import { createBoundVerifier } from "./bound-verifier.js";
import { createDirectory } from "./counted-directory.js";
import { createExpressApi } from "./express.js";
import { createFastifyApi } from "./fastify.js";
import { createHonoApi } from "./hono.js";
import { createKoaApi } from "./koa.js";
import { endServers, listen } from "./listen.mjs";
import { createNestApi } from "./nestjs.js";
import { createApi } from "./node.js";
import { openThread } from "./open-thread.mjs";
import { createTestAgent } from "./test-agent.js";
import { createWebSocketApi } from "./ws.js";

const { AUTHORITY } = process.env;
const { identities, thread, close } = openThread();

const api = await listen(createApi(AUTHORITY));
assert.equal((await fetch(api)).status, 401);
const signed = withAssertion(fetch, thread, { origins: [api] });
assert.match(await (await signed(api)).text(), /^agent_\S+ of acct-1 in task_/);

const counted = [];
const directory = createDirectory(AUTHORITY, (name) => counted.push(name));
assert.equal(await directory.agent("agent-1"), undefined);
assert.deepEqual(counted, ["agent miss"]);
await directory.close();

const tested = createTestAgent();
assert.equal((await tested.verifier.verify(tested.header())).accountId, "acct-test");

const apis = {
  koa: async (verifier) => createServer(createKoaApi(verifier).callback()),
  express: async (verifier) => createServer(createExpressApi(verifier)),
  async nest(verifier) {
    const app = await createNestApi(verifier);
    await app.init();
    return createServer(app.getHttpAdapter().getInstance());
  },
  async fastify(verifier) {
    const app = createFastifyApi(verifier);
    await app.ready();
    return createServer((incoming, response) => app.routing(incoming, response));
  },
};
for (const [name, create] of Object.entries(apis)) {
  const server = createServer();
  const url = await listen(server);
  const real = await create(createBoundVerifier(AUTHORITY, url));
  server.on("request", (incoming, response) => real.emit("request", incoming, response));
  await answersBound(name, url, fetch);
}
const hono = createHonoApi(createBoundVerifier(AUTHORITY, "https://api.example"));
await answersBound("hono", "https://api.example", async (input, init) =>
  hono.fetch(new Request(input, init)),
);

const known = remoteDirectory(AUTHORITY);
const webSocketApi = createWebSocketApi(createVerifier({ directory: known }));
const socketUrl = (await listen(webSocketApi)).replace("http", "ws");
const dial = dialWithAssertion(thread, { origins: [socketUrl] });
const socket = await dial(socketUrl, (headers) => new WebSocket(socketUrl, { headers }));
socket.send("hello");
assert.match(String((await once(socket, "message"))[0]), /^agent_\S+: hello$/);
socket.terminate();
const [refused] = await once(new WebSocket(socketUrl), "error");
assert.match(refused.message, /401/);
await known.close();

/** Expects what docs/verifying.md says of its servers. */
async function answersBound(name, url, send) {
  const bound = withAssertion(send, thread, { origins: [url], binding: true });
  const post = {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: '{"input":1}' },
  };
  const answer = await (await bound(`${url}/v1/echo`, post)).json();
  assert.deepEqual(answer, {
    agent: (await identities.ensure()).agentRuntimeId,
    body: { input: 1 },
  });
  assert.equal((await send(`${url}/v1/echo`, post)).status, 401, name);
  assert.equal(await (await send(`${url}/healthz`)).text(), "ok\n");
}

await close();
endServers();

// Tests, which Node's runner counts.
await import("./own-replay-store.js");
