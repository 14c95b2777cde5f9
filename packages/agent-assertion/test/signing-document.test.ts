import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { AgentAssertionError } from "../src/index.js";
import { createAxios } from "./examples/axios-client.js";
import { explain } from "./examples/explain.js";
import { createDispatcher } from "./examples/undici-client.js";
import { reconnect } from "./examples/undici-websocket.js";
import { openSocket } from "./examples/websocket-client.js";
import { membersOf, TASK_ID } from "./fixtures.js";
import { credentialsOf, ScriptedSource, start, stopServers } from "./signed-fetch.js";
import { startWebSocketServer } from "./websocket-server.js";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

describe("docs/signing.md", () => {
  test.each(["undici-client", "websocket-client", "undici-websocket", "axios-client", "explain"])(
    "shows the %s that is run here",
    (name) => {
      const program = read(`./examples/${name}.ts`).replaceAll(
        /"\.\.\/\.\.\/src\/(.+)\.js"/g,
        '"@countersign/agent-assertion/$1"',
      );
      expect(read("../../../docs/signing.md")).toContain(`\`\`\`ts\n${program}\`\`\``);
    },
  );

  test("has a dispatcher that signs below its pattern", async () => {
    const server = await start();
    onTestFinished(stopServers);
    const dispatcher = createDispatcher(new ScriptedSource(), server.url);
    onTestFinished(() => dispatcher.destroy());
    for (const path of ["/v1/x", "/v2/x"]) {
      await dispatcher.request({ origin: server.url, path, method: "GET" });
    }
    expect(credentialsOf(server)).toEqual([TASK_ID, undefined]);
  });

  test("explains a refusal", () => {
    const refusal = new AgentAssertionError("agent_revoked", "the agent was revoked");
    expect(explain(new Error("Connection error.", { cause: refusal }))).toBe(
      "agent_revoked: the agent was revoked",
    );
    expect(explain(new Error("Connection error."))).toBe("Error: Connection error.");
  });

  test("has an axios that signs", async () => {
    const server = await start();
    onTestFinished(stopServers);
    const { data } = await createAxios(new ScriptedSource(), server.url).get(server.url);
    expect(data).toEqual({ ok: true });
    expect(credentialsOf(server)).toEqual([TASK_ID]);
  });

  test("has WebSockets that sign", async () => {
    const server = await startWebSocketServer(() => undefined);
    const socket = await openSocket(new ScriptedSource(), server.url);
    expect(String((await once(socket, "message"))[0])).toBe("welcome");
    const other = await reconnect(new ScriptedSource(), server.url);
    await once(other, "open");
    const closed = [once(socket, "close"), once(other, "close")];
    socket.close();
    other.close();
    await Promise.all(closed);
    expect(server.dials.map((field) => membersOf(field ?? "").task_id)).toEqual([TASK_ID, TASK_ID]);
  });
});
