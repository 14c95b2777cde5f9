import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
// @boundaries-ignore installed beside the programs
import { withAssertion } from "@countersign/agent-assertion/fetch";
// @boundaries-ignore installed beside the programs
import { WebSocketServer } from "ws";
import { createAxios } from "./axios-client.js";
import { createBoundVerifier } from "./bound-verifier.js";
import { createClient } from "./client.js";
import { createDirectory } from "./counted-directory.js";
import { explain } from "./explain.js";
import { createExpressApi } from "./express-server.js";
import { createFastifyApi } from "./fastify-server.js";
import { createHonoApi } from "./hono-server.js";
import { openThread } from "./open-thread.mjs";
import { createApi } from "./server.js";
import { createDispatcher } from "./undici-client.js";
import { reconnect } from "./undici-websocket.js";
import { openSocket } from "./websocket-client.js";

const { AUTHORITY } = process.env;
const { identities, thread, close } = openThread();
const servers = [];

async function listen(server) {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

const SIGNED = /^agent_\S+ of acct-1 in task_/;
const api = await listen(createApi(AUTHORITY));
assert.match(await (await createClient(thread, api)(api)).text(), SIGNED);
assert.match((await createAxios(thread, api).get(api)).data, SIGNED);
const dispatcher = createDispatcher(thread, api);
const request = { origin: api, path: "/v1/x", method: "GET" };
assert.match(await (await dispatcher.request(request)).body.text(), SIGNED);
const unsigned = await dispatcher.request({ ...request, path: "/v2/x" });
assert.equal(unsigned.statusCode, 401);
await unsigned.body.dump();
await dispatcher.close();
assert.equal(explain(new Error("Connection error.")), "Error: Connection error.");

const dialled = [];
const webSockets = createServer();
new WebSocketServer({ server: webSockets }).on("connection", (socket, { headers }) => {
  dialled.push(headers.authorization);
  socket.close();
});
const socketUrl = (await listen(webSockets)).replace("http", "ws");
const socket = await openSocket(thread, socketUrl);
await once(socket, "close");
const other = await reconnect(thread, socketUrl);
await once(other, "close");
assert.equal(dialled.filter((field) => field.startsWith("AgentAssertion ")).length, 2);

const counted = [];
const directory = createDirectory(AUTHORITY, (name) => counted.push(name));
assert.equal(await directory.agent("agent-1"), undefined);
assert.deepEqual(counted, ["agent miss"]);
await directory.close();

const apis = {
  express: async (verifier) => createServer(createExpressApi(verifier)),
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
for (const server of servers) {
  server.close();
  server.closeAllConnections();
}

// Tests, which Node's runner counts.
await import("./own-replay-store.js");
