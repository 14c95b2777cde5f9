import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentKey } from "@countersign/agent-key";
import { beforeEach, describe, expect, test } from "vitest";
import { countersign, expectError } from "./command-line.js";
import { type ServerWorld, type StartedServer, serverWorld } from "./servers.js";

let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
});

/** The lines that the log has when the authority has ended. */
async function linesOf({ process }: StartedServer) {
  process.kill("SIGTERM");
  const { code, stderr } = await process.exited;
  expect(code, stderr).toBe(0);
  return stderr
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Sends bytes that no client library would, and waits for the end of the answer. */
async function sendRaw(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(text);
  socket.resume();
  await once(socket, "close");
}

test("rejects an unknown level", async () => {
  const args = ["authority", "serve", "--listen", "127.0.0.1:0", "--log-level", "loud"];
  expectError(await countersign(args, { home: world.home }), "usage", 2);
});

test("has one line for each request, with a time, a level, the path without its query, status and code", async () => {
  const server = await world.serve(["--log-level", "debug"]);
  await fetch(`${server.url}/healthz?probe=1`);
  await fetch(`${server.url}/v1/whoami?x=y`);
  const requests = (await linesOf(server)).filter(({ msg }) => msg === "request");
  expect(requests).toEqual([
    // A probe that finds nothing is not worth a line of its own level.
    expect.objectContaining({ level: "debug", method: "GET", path: "/healthz", status: 200 }),
    expect.objectContaining({
      level: "info",
      path: "/v1/whoami",
      status: 401,
      code: "unauthenticated",
    }),
  ]);
  for (const { time, ms } of requests) {
    expect(new Date(time).toISOString()).toBe(time);
    expect(ms).toBeTypeOf("number");
  }
});

test("writes a request for the audit log at the level of probes, and a refused one at the level of requests", async () => {
  const server = await world.serve(["--log-level", "debug", "--admin-listen", "127.0.0.1:0"]);
  await server.process.waitForLine(/"msg":"the authority serves"/);
  const started = server.process.stderr.split("\n").find((it) => it.includes('"admin"')) ?? "";
  const { admin } = JSON.parse(started);
  const ask = async (role: "read" | "human") => {
    const authorization = `Bearer ${await world.createToken(role)}`;
    return (await fetch(`${admin}/v1/admin/audit`, { headers: { authorization } })).status;
  };
  expect([await ask("read"), await ask("human")]).toEqual([200, 401]);
  const requests = (await linesOf(server)).filter(({ msg }) => msg === "request");
  expect(requests).toMatchObject([
    { level: "debug", path: "/v1/admin/audit", status: 200 },
    { level: "info", path: "/v1/admin/audit", status: 401 },
  ]);
});

test("writes no request if its level is above that of requests, and no line at all if it is silent", async () => {
  for (const [level, lines] of [
    ["warn", []],
    ["silent", []],
  ] as const) {
    const server = await world.serve(["--log-level", level]);
    await fetch(`${server.url}/healthz`);
    expect(await linesOf(server)).toEqual(lines);
  }
});

describe("holds no secret, wherever a client puts it (G-A41)", () => {
  const password = "hunter2-c0rrect-horse";
  const assertion = `eyJhZ2VudF9ydW50aW1lX2lkIjoiYSJ9${"A".repeat(40)}`;
  const jwt = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.${"B".repeat(40)}`;
  const key = AgentKey.generate().exportPkcs8();

  test.each([
    { status: 200, path: "/v1/whoami" },
    { status: 400, path: "/v1/agent/register" },
    { status: 401, path: "/v1/whoami" },
    { status: 404, path: "/nowhere" },
    { status: 500, path: "/v1/whoami" },
  ])("on $status", async ({ status, path }) => {
    const server = await world.serve(["--log-level", "debug"]);
    const token = await world.createToken();
    const stranger = `cs_human_${"C".repeat(42)}A`;
    const database = new DatabaseSync(join(world.folder.path, "authority.db"), {
      timeout: 60_000,
    });
    if (status === 500) database.exec("alter table access_tokens rename column expires_at to gone");
    database.close();
    const isPost = status === 400;
    const query = new URLSearchParams({ access_token: token, password, assertion, jwt });
    const response = await fetch(`${server.url}${path}?${query}`, {
      method: isPost ? "POST" : "GET",
      headers: {
        authorization: `Bearer ${status === 401 ? stranger : token}`,
        "x-openai-authorization": `cs_biscuit_${"D".repeat(43)}`,
        cookie: `session=${password}`,
        "x-request-id": token,
        "user-agent": `agent/${jwt}`,
        referer: `https://user:${password}@site.example/?token=${token}`,
        ...(isPost ? { "content-type": "application/json" } : {}),
      },
      ...(isPost ? { body: JSON.stringify({ private_key: key, password, assertion, token }) } : {}),
    });
    expect(response.status, await response.text()).toBe(status);
    const host = new URL(server.url).host;
    await sendRaw(
      server.url,
      `GET http://user:${password}@${host}/v1/whoami?t=${token} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    await sendRaw(
      server.url,
      `GET /${token}/${stranger}/${jwt} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    await sendRaw(server.url, `Bearer ${token} ${password}\r\n\r\n`);
    const lines = await linesOf(server);
    const log = JSON.stringify(lines) + server.process.stdout;
    expect(lines).toContainEqual(expect.objectContaining({ status, path }));
    for (const secret of [token, stranger, password, assertion, jwt, key, "D".repeat(43)]) {
      expect(log).not.toContain(secret);
      expect(log).not.toContain(encodeURIComponent(secret));
    }
    // The operator is told what happened, by its cause.
    if (status === 500) {
      const [failed] = lines.filter(({ level }) => level === "error");
      expect(failed.err.message).toContain("expires_at");
    }
  });
});
