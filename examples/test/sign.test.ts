import { createServer } from "node:http";
import { AgentAssertionError } from "@countersign/agent-assertion";
import type { CredentialSource } from "@countersign/agent-key";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { createAxios } from "../sign/axios.js";
import { explain } from "../sign/explain.js";
import { createClient } from "../sign/fetch.js";
import { createDispatcher } from "../sign/undici.js";
import { reconnect } from "../sign/undici-websocket.js";
import { openSocket } from "../sign/websocket.js";
import { createApi } from "../verify/node.js";
import { end, listen, startWorld } from "./world.js";

const CALLER = /^agent_\S+ of acct-1 in task_\S+\n$/;

/** The API of `verify/node.ts` before a real authority, and a thread. */
async function start() {
  const { authority, thread } = await startWorld();
  const server = createApi(authority);
  onTestFinished(() => end(server));
  return { thread, api: await listen(server) };
}

test("fetch signs", async () => {
  const { thread, api } = await start();
  expect(await (await createClient(thread, api)(api)).text()).toMatch(CALLER);
});

test("axios signs", async () => {
  const { thread, api } = await start();
  expect((await createAxios(thread, api).get(api)).data).toMatch(CALLER);
});

test("undici's dispatcher signs below its pattern", async () => {
  const { thread, api } = await start();
  const dispatcher = createDispatcher(thread, api);
  onTestFinished(() => dispatcher.destroy());
  const get = async (path: string) => {
    const { statusCode, body } = await dispatcher.request({ origin: api, path, method: "GET" });
    await body.dump();
    return statusCode;
  };
  expect(await get("/v1/x")).toBe(200);
  expect(await get("/v2/x")).toBe(401);
});

test("a refusal is explained", () => {
  const refusal = new AgentAssertionError("agent_revoked", "the agent was revoked");
  expect(explain(new Error("Connection error.", { cause: refusal }))).toBe(
    "agent_revoked: the agent was revoked",
  );
  expect(explain(new Error("Connection error."))).toBe("Error: Connection error.");
});

interface Socket {
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
}

test.each<[string, (thread: CredentialSource, url: string) => Promise<Socket>]>([
  ["ws", openSocket],
  ["undici", reconnect],
])("a WebSocket of %s signs", async (_, open) => {
  const { thread, api } = await start();
  const sockets = createServer();
  const server = new WebSocketServer({ server: sockets });
  onTestFinished(() => end(sockets));
  // The API verifies what the socket was dialled with.
  server.on("connection", async (socket, { headers }) => {
    const authorization = headers.authorization ?? "";
    const answer = await fetch(api, { headers: { authorization } });
    socket.send(await answer.text());
    socket.close();
  });
  const socket = await open(thread, (await listen(sockets)).replace("http", "ws"));
  const said = new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(String(data)));
  });
  expect(await said).toMatch(CALLER);
});
