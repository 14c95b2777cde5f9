import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { memoryDirectory, type RefusedAssertion } from "../../src/index.js";
import { type AdmitUpgradesOptions, admitUpgrades, agentOf } from "../../src/ws.js";
import { expectFailure } from "../expect-rejection.js";
import { AGENT_ID, AUTHORITY, header } from "../fixtures.js";
import { exchangeUpgrade, UPGRADE_LINES } from "./raw-exchange.js";
import { assertionOf, endWithTest, SceneDirectory, verifierOf } from "./scene.js";
import { listen } from "./site.js";

/** A directory whose task can be revoked, and whose answers can be held back. */
class ChangingDirectory extends SceneDirectory {
  isRevoked = false;
  gate: Promise<void> | undefined;
  looks = 0;

  override async task(id: string, taskId: string) {
    this.looks += 1;
    await this.gate;
    const task = await super.task(id, taskId);
    return task && this.isRevoked ? { ...task, state: "revoked" as const } : task;
  }
}

async function setUp(options: Partial<AdmitUpgradesOptions> = {}) {
  const directory = new ChangingDirectory();
  const webSockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  const verifier = verifierOf(directory);
  server.on("upgrade", admitUpgrades(webSockets, { verifier, recheckMs: 1, ...options }));
  const port = await listen(server);
  endWithTest(() => {
    for (const client of webSockets.clients) client.terminate();
  });
  const dial = (headers: Readonly<Record<string, string>> = { authorization: header }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers });
    // Ended before it opened.
    socket.on("error", () => {});
    endWithTest(() => socket.terminate());
    return socket;
  };
  return { directory, webSockets, server, port, dial };
}

function dialRaw(port: number): Socket {
  const socket = connect(port, "127.0.0.1");
  endWithTest(() => socket.destroy());
  const lines = ["Host: x", ...UPGRADE_LINES, `Authorization: ${header}`];
  socket.write(["GET / HTTP/1.1", ...lines, "", ""].join("\r\n"));
  return socket;
}

describe("an open socket", () => {
  test("is closed with 1008 and the code once its task is revoked, and the hook gets it (G-R6)", async () => {
    const refused: RefusedAssertion[] = [];
    const errors: unknown[] = [];
    const { directory, dial } = await setUp({
      onRefused: (it) => refused.push(it),
      onError: (error) => errors.push(error),
    });
    const sockets = [dial(), dial()];
    await Promise.all(sockets.map((socket) => once(socket, "open")));
    const closed = sockets.map((socket) => once(socket, "close"));
    directory.isRevoked = true;
    for (const [status, reason] of await Promise.all(closed)) {
      expect([status, String(reason)]).toEqual([1008, "task_revoked"]);
    }
    expect(refused).toMatchObject([
      { code: "task_revoked", proven: { agentRuntimeId: AGENT_ID } },
      { code: "task_revoked", proven: { agentRuntimeId: AGENT_ID } },
    ]);
    expect(errors).toEqual([]);
  });

  test("is closed with 1001 if the directory cannot answer, which the operator gets (G-R6)", async () => {
    const errors: unknown[] = [];
    const { directory, dial } = await setUp({ onError: (error) => errors.push(error) });
    const socket = dial();
    await once(socket, "open");
    const closed = once(socket, "close");
    directory.failure = new Error("the directory's own words");
    const [status, reason] = await closed;
    expect([status, String(reason)]).toEqual([1001, "server_error"]);
    expect(errors).toEqual([directory.failure]);
  });

  test("stays open as long as agent and task live, and is looked at until it closes (G-R6)", async () => {
    const { directory, dial } = await setUp();
    const socket = dial();
    await once(socket, "open");
    const [{ promise, resolve }, looks] = [Promise.withResolvers<void>(), directory.looks];
    const seen = setInterval(() => directory.looks > looks + 2 && resolve(), 1);
    endWithTest(() => clearInterval(seen));
    await promise;
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });

  test("of a client that does not answer the close frame is ended all the same", async () => {
    const { directory, port } = await setUp();
    const socket = dialRaw(port);
    // Reads, and says nothing.
    await once(socket, "data");
    directory.isRevoked = true;
    socket.resume();
    await once(socket, "close");
  });

  test("without an agent is not looked at again", async () => {
    const { directory, dial } = await setUp({ onMissing: "pass" });
    const [plain, signed] = [dial({}), dial()];
    const opened = once(plain, "open");
    await Promise.all([opened, once(signed, "open")]);
    directory.isRevoked = true;
    await once(signed, "close");
    plain.ping();
    await once(plain, "pong");
  });
});

describe("an upgrade", () => {
  test("that is refused gets its status, and the client's error has it", async () => {
    const { dial } = await setUp();
    const socket = dial({ authorization: assertionOf("task-revoked") });
    const [, response] = await once(socket, "unexpected-response");
    expect(response.statusCode).toBe(401);
    expect(response.headers["www-authenticate"]).toBe('AgentAssertion error="task_revoked"');
  });

  test.each<[string, string]>([
    ["Content-Length: 2", "hi"],
    ["Transfer-Encoding: chunked", "2\r\nhi\r\n0\r\n\r\n"],
  ])("with a body is refused, since ws would read it as frames: %s (G-M6)", async (line, body) => {
    const { webSockets, port } = await setUp();
    const lines = [`Authorization: ${header}`, line];
    const answer = await exchangeUpgrade(port, { lines, body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "invalid_request" });
    expect(webSockets.clients.size).toBe(0);
  });

  test("with a body is refused without an assertion as well, where such upgrades pass (G-M6)", async () => {
    const { webSockets, port } = await setUp({ onMissing: "pass" });
    const answer = await exchangeUpgrade(port, { lines: ["Content-Length: 2"], body: "hi" });
    expect(answer.status).toBe(400);
    expect(webSockets.clients.size).toBe(0);
  });

  test.each([
    ["without", []],
    ["with", [`Authorization: ${header}`]],
  ])(
    "behind a request that is still being answered ends the connection, %s an assertion",
    async (_, lines) => {
      const errors: unknown[] = [];
      const { webSockets, server, port } = await setUp({ onError: (error) => errors.push(error) });
      const socket = connect(port, "127.0.0.1");
      endWithTest(() => socket.destroy());
      const asked = once(server, "request");
      socket.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
      await asked;
      const closed = once(socket, "close");
      socket.on("error", () => {});
      socket.resume();
      socket.write(["GET / HTTP/1.1", "Host: x", ...UPGRADE_LINES, ...lines, "", ""].join("\r\n"));
      await closed;
      expect(webSockets.clients.size).toBe(0);
      expect(errors).toEqual([]);
    },
  );

  test("keeps what the client sent while it was checked", async () => {
    const { directory, webSockets, port } = await setUp();
    const gate = Promise.withResolvers<void>();
    directory.gate = gate.promise;
    const message = Promise.withResolvers<string>();
    webSockets.on("connection", (socket, request) => {
      expect(agentOf(request).agentRuntimeId).toBe(AGENT_ID);
      socket.on("message", (data) => message.resolve(String(data)));
    });
    const socket = dialRaw(port);
    // One text, "hi", masked with zeros.
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]), () => gate.resolve());
    expect(await message.promise).toBe("hi");
  });

  test("whose client went away while it was checked ends no process", async () => {
    const { directory, webSockets, port } = await setUp();
    const gate = Promise.withResolvers<void>();
    directory.gate = gate.promise;
    const left = dialRaw(port);
    while (directory.looks === 0) await new Promise(setImmediate);
    left.resetAndDestroy();
    gate.resolve();
    const socket = dialRaw(port);
    await once(socket, "data");
    expect(webSockets.clients.size).toBeLessThanOrEqual(2);
  });
});

describe("a server that would open sockets unchecked, or is no server of ws", () => {
  const verifier = verifierOf(memoryDirectory({ authority: AUTHORITY, agents: [], tasks: [] }));

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["options", { verifier }],
    ["a server without its options", { handleUpgrade() {}, emit() {} }],
    ["a server with a port", { handleUpgrade() {}, emit() {}, options: { port: 1 } }],
    ["a server of another kind", createServer()],
  ])("is config_invalid: %s", async (_, webSockets) => {
    const make = admitUpgrades as (...values: readonly unknown[]) => unknown;
    await expectFailure(() => make(webSockets, { verifier }), "config_invalid");
  });

  test("is config_invalid: a server of ws that takes the upgrades of another", async () => {
    const server = createServer();
    const webSockets = new WebSocketServer({ server });
    endWithTest(() => webSockets.close());
    await expectFailure(() => admitUpgrades(webSockets, { verifier }), "config_invalid");
  });

  test.each([0, 30_001, 1.5, "15000"])("recheckMs of %o is config_invalid", async (recheckMs) => {
    const webSockets = new WebSocketServer({ noServer: true });
    const options = { verifier, recheckMs: recheckMs as number };
    await expectFailure(() => admitUpgrades(webSockets, options), "config_invalid");
  });
});
