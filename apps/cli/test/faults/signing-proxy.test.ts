import { mkdir } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createRegistry, openStore } from "@countersign/agent-authority";
import { runProcess } from "@countersign/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { output } from "../command-line.js";
import { FEATURE_ON } from "../fresh-home.js";
import { serverWorld } from "../servers.js";

const isRoot = process.getuid?.() === 0;
const STRANGER = 65_534;

/** The upstream, with what reached it down to the connection. */
async function startUpstream() {
  const seen = { connections: 0, requests: [] as string[], credentials: [] as unknown[] };
  const server = createServer((request, response) => {
    seen.requests.push(`${request.method} ${request.url}`);
    seen.credentials.push(request.headers.authorization);
    response.end("from upstream");
  });
  server.on("connection", () => {
    seen.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** `countersign proxy` beside the real authority's process, on an address and a socket. */
async function startProxy() {
  const world = await serverWorld();
  const upstream = await startUpstream();
  const authority = await world.serve();
  await world.logIn(authority.url);
  const folder = join(world.folder.path, "socket");
  await mkdir(folder, { mode: 0o700 });
  const socketPath = join(folder, "proxy.sock");
  const listen = ["--listen", "127.0.0.1:0", "--socket", socketPath];
  const proxy = await world.start(["proxy", "--upstream", upstream.url, ...listen], FEATURE_ON);
  const [, url = ""] = await proxy.process.waitForLine(/^listening on (http:\S+)$/);
  await proxy.process.waitForLine(/^listening on unix:/);
  const token = (await output(["proxy", "token"], world.options)).trim();
  const [, database = ""] = world.onDatabase;
  return {
    seen: upstream.seen,
    host: new URL(url).host,
    port: Number(new URL(url).port),
    socketPath,
    token,
    async registered() {
      await using store = await openStore(database);
      const registry = createRegistry(store);
      const [agents, tasks] = [await registry.listAgents(), await registry.listTasks()];
      return { agents: agents.length, tasks: tasks.length };
    },
  };
}

type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** Sends bytes as they are and gives the status of the answer. */
async function statusOf({ port }: Proxy, lines: readonly string[], body = ""): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  const answer = await text(socket);
  return answer.split(" ", 2)[1] ?? "";
}

async function expectUnused(proxy: Proxy): Promise<void> {
  expect(await proxy.registered()).toEqual({ agents: 0, tasks: 0 });
  expect(proxy.seen).toEqual({ connections: 0, requests: [], credentials: [] });
}

const BODY = '{"model":"x"}';
const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];
const post = (host: string, ...fields: string[]) => [
  "POST /v1/responses HTTP/1.1",
  `Host: ${host}`,
  ...fields,
  "Connection: close",
  `Content-Length: ${BODY.length}`,
];

describe("a page and a stranger cannot use the signing proxy: the authority registers nothing, the upstream gets no request", () => {
  test("of a page, whatever its browser sends, with the token and without (G-P1)", async () => {
    const proxy = await startProxy();
    const { host, port, token } = proxy;
    for (const held of [[], [`Authorization: Bearer ${token}`]]) {
      const page = ["Origin: https://page.example", "Content-Type: text/plain", ...held];
      expect(await statusOf(proxy, post(host, ...page), BODY)).toBe("403");
      // Its own name, which the page had resolved to this machine.
      const rebound = post(`page.example:${port}`, ...held);
      expect(await statusOf(proxy, rebound, BODY)).toMatch(/^4(?:00|03|21)$/);
      expect(await statusOf(proxy, post(`localhost:${port}`, ...held), BODY)).toMatch(
        /^4(?:00|03|21)$/,
      );
      expect(await statusOf(proxy, post(host, "Sec-Fetch-Site: same-site", ...held), BODY)).toBe(
        "403",
      );
      const preflight = [
        "OPTIONS /v1/responses HTTP/1.1",
        `Host: ${host}`,
        "Origin: https://page.example",
        "Access-Control-Request-Method: POST",
        "Connection: close",
        ...held,
      ];
      expect(await statusOf(proxy, preflight)).toBe("403");
      const dial = ["GET /v1/realtime HTTP/1.1", `Host: ${host}`, "Origin: https://page.example"];
      expect(await statusOf(proxy, [...dial, ...UPGRADE, ...held])).toBe("403");
    }
    await expectUnused(proxy);
  });

  test("of a program that has no client token, or another one (G-P1)", async () => {
    const proxy = await startProxy();
    const { host, token } = proxy;
    const wrong = [
      [],
      ["Authorization: Bearer "],
      ["Authorization: Bearer t0ken"],
      [`Authorization: Bearer ${token.slice(0, -1)}`],
      [`Authorization: Basic ${token}`],
      ["x-api-key: t0ken"],
    ];
    for (const fields of wrong) {
      expect(await statusOf(proxy, post(host, ...fields), BODY)).toBe("401");
      const dial = ["GET /v1/realtime HTTP/1.1", `Host: ${host}`, ...UPGRADE];
      expect(await statusOf(proxy, [...dial, ...fields])).toBe("401");
    }
    await expectUnused(proxy);
  });

  test.skipIf(!isRoot)("of another user at the socket (needs root to become one)", async () => {
    const proxy = await startProxy();
    const script = `process.setgid(${STRANGER}); process.setuid(${STRANGER});
      const socket = require("node:net").connect(${JSON.stringify(proxy.socketPath)});
      socket.on("error", (error) => console.log(error.code));
      socket.on("connect", () => { console.log("connected"); socket.destroy(); });`;
    const { stdout } = await runProcess(process.execPath, ["-e", script]);
    expect(stdout).toBe("EACCES\n");
    await expectUnused(proxy);
  });

  test("and a program that has the token, or the socket, is served as the agent", async () => {
    const proxy = await startProxy();
    const held = `Authorization: Bearer ${proxy.token}`;
    expect(await statusOf(proxy, post(proxy.host, held), BODY)).toBe("200");
    const answer = await new Promise<string>((resolve, reject) => {
      const { socketPath } = proxy;
      httpRequest({ socketPath, path: "/v1/models" }, (response) => resolve(text(response)))
        .on("error", reject)
        .end();
    });
    expect(answer).toBe("from upstream");
    expect(proxy.seen.requests).toEqual(["POST /v1/responses", "GET /v1/models"]);
    for (const credential of proxy.seen.credentials) expect(credential).toMatch(/^AgentAssertion /);
    expect(await proxy.registered()).toEqual({ agents: 1, tasks: 1 });
  });
});
