import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
// @boundaries-ignore installed beside the programs
import { WebSocketServer } from "ws";
import { createApi } from "../verify/node.js";
import { createAxios } from "./axios.js";
import { explain } from "./explain.js";
import { createClient } from "./fetch.js";
import { endServers, listen } from "./listen.mjs";
import { openThread } from "./open-thread.mjs";
import { createDispatcher } from "./undici.js";
import { reconnect } from "./undici-websocket.js";
import { openSocket } from "./websocket.js";

const { thread, close } = openThread();

const SIGNED = /^agent_\S+ of acct-1 in task_/;
const api = await listen(createApi(process.env.AUTHORITY));
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

await close();
endServers();
