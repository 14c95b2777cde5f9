import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { stateOf } from "../src/http/request-state.js";
import { AgentAuthorityError, createAuthority } from "../src/index.js";
import { LoadGate } from "../src/limits/load-gate.js";
import { expectRefusal } from "./expect-refusal.js";
import { agentBody, openScratchStore, TestedAuthority } from "./start-authority.js";

const PLACES = 3;
const TURNED_AWAY = 250;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
}

const head = (token: string, length: number, more = "") =>
  `POST /v1/agent/register HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

/** Fills all places with registrations whose bodies do not come; each is gone on with by what is given. */
async function fill(tested: TestedAuthority): Promise<readonly (() => Promise<string>)[]> {
  const token = await tested.token();
  const held: (() => Promise<string>)[] = [];
  for (let place = 0; place < PLACES; place += 1) {
    const socket = open(tested.url);
    const body = JSON.stringify(agentBody(AgentKey.generate()));
    socket.write(head(token, body.length, "Expect: 100-continue\r\n"));
    // The server says so when it has taken the request up.
    const [interim] = await once(socket, "data");
    expect(String(interim)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    held.push(async () => {
      socket.write(body);
      return text(socket);
    });
  }
  expect((await tested.call("GET", "/v1/whoami")).status).toBe(503);
  return held;
}

describe("the options of limits", () => {
  it.each([
    { maxRequests: 0 },
    { maxBodyBytes: 1.5 },
    { requestMs: 2_147_483_648 },
    { maxConnectionsPerAddress: -1 },
    { requestHeadMs: 30_001 },
  ])("cannot be %o", async (limits) => {
    await using store = await openScratchStore();
    const made = createAuthority({ store, limits });
    await expectRejection(made, AgentAuthorityError, "config_invalid");
    await expect(made).rejects.toThrow(Object.keys(limits)[0] ?? "");
  });
});

describe("an authority with as many requests as it takes", () => {
  it("answers the next 503 at once, probes as always, and goes on when one is done", async () => {
    await using tested = await TestedAuthority.start({ limits: { maxRequests: PLACES } });
    const [first, ...others] = await fill(tested);
    const refused = await tested.registerAgent(await tested.token(), AgentKey.generate());
    expectRefusal(refused, 503, "server_error");
    expect(refused.headers["retry-after"]).toBe("1");
    for (const path of ["/healthz", "/readyz", "/backend-api/readyz"]) {
      expect((await tested.call("GET", path)).status).toBe(200);
    }
    expect((await tested.call("POST", "/healthz")).status).toBe(503);
    expect(await first?.()).toMatch(/^HTTP\/1\.1 200 /);
    await expect
      .poll(() => tested.call("GET", "/v1/whoami").then(({ status }) => status))
      .toBe(401);
    for (const finish of others) expect(await finish()).toMatch(/^HTTP\/1\.1 200 /);
    expect(await tested.authority.registry.listAgents()).toHaveLength(PLACES);
  });

  it("gives a place back whose connection was lost", async () => {
    await using tested = await TestedAuthority.start({ limits: { maxRequests: PLACES } });
    await fill(tested);
    for (const socket of sockets.splice(0)) socket.destroy();
    await expect
      .poll(() => tested.call("GET", "/v1/whoami").then(({ status }) => status))
      .toBe(401);
  });

  it("keeps nothing of the bodies that it turns away (G-A10)", async () => {
    await using tested = await TestedAuthority.start({ limits: { maxRequests: PLACES } });
    const seen: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      seen.push(request);
      tested.authority.handler(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    await fill(tested);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answers = await Promise.all(
      Array.from({ length: TURNED_AWAY }, async () => {
        const socket = open(url);
        socket.write(head("none", 65_536) + "x".repeat(60_000));
        return text(socket);
      }),
    );
    expect(answers.filter((answer) => answer.startsWith("HTTP/1.1 503 "))).toHaveLength(
      TURNED_AWAY,
    );
    expect(seen).toHaveLength(TURNED_AWAY);
    const kept = seen.map(
      (request) => request.readableLength + (stateOf(request).body?.length ?? 0),
    );
    expect(Math.max(...kept)).toBe(0);
  });
});

describe("places", () => {
  it("are not held by answers that their client does not read (G-A10)", async () => {
    const limits = { requestMs: 500, requestHeadMs: 500 };
    await using tested = await TestedAuthority.start({ limits });
    const answers: ServerResponse[] = [];
    const server = createServer((request, response) => {
      answers.push(response);
      tested.authority.handler(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const socket = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    socket.pause();
    // More than the kernel keeps for who does not read.
    socket.write("GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(400));
    const unread = () => answers.filter(({ closed }) => !closed).length;
    await expect.poll(() => answers.length).toBe(400);
    expect(unread()).toBeGreaterThan(0);
    await expect.poll(unread).toBe(0);
  });

  it("from one address are so many, whatever connections and proxies they come by (G-A10)", async () => {
    const limits = { maxConnectionsPerAddress: 2 };
    await using tested = await TestedAuthority.start({ limits, trustedProxies: ["127.0.0.1"] });
    const ask = async (...from: string[]) => {
      const headers = from.length === 0 ? {} : { "x-forwarded-for": from };
      return (await tested.call("GET", "/v1/whoami", { headers })).status;
    };
    const token = await tested.token();
    const held = ["2001:db8::1", "2001:db8::2"].map(async (address) => {
      const socket = open(tested.url);
      socket.write(head(token, 9, `Expect: 100-continue\r\nX-Forwarded-For: ${address}\r\n`));
      await once(socket, "data");
    });
    await Promise.all(held);
    expect(await ask("2001:db8::3")).toBe(503);
    expect(await ask("192.0.2.1, 2001:db8::4")).toBe(503);
    expect(await ask("2001:db8:0:1::1")).toBe(401);
    expect(await ask()).toBe(401);
    for (const socket of sockets.splice(0)) socket.destroy();
    await expect.poll(() => ask("2001:db8::3")).toBe(401);
  });
});

describe("an event loop that cannot keep up", () => {
  it("turns requests away until it can again", async () => {
    const gate = new LoadGate({
      maxRequests: 1_000_000,
      maxConnectionsPerAddress: 1,
      maxEventLoopDelayMs: 200,
    });
    onTestFinished(() => gate.close());
    const enter = () => gate.enter({ once: () => {} } as never);
    expect(enter()).toBeUndefined();
    for (let i = 0; i < 20 && enter() === undefined; i += 1) {
      const endsAt = performance.now() + 500;
      while (performance.now() < endsAt);
      await turn();
    }
    expect(enter()).toBe("event_loop");
    await expect.poll(enter).toBeUndefined();
  });
});

describe("connections", () => {
  it("from one address are so many at a time, and from a trusted proxy as many as it likes (G-A10)", async () => {
    const limits = { maxConnectionsPerAddress: 2 };
    await using tested = await TestedAuthority.start({ limits });
    const ask = (socket: Socket) =>
      new Promise<string>((resolve) => {
        socket.once("data", (chunk) => resolve(String(chunk).slice(0, 12)));
        socket.once("close", () => resolve("closed"));
        socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
      });
    const [one, two] = [open(tested.url), open(tested.url)];
    expect([await ask(one), await ask(two)]).toEqual(["HTTP/1.1 200", "HTTP/1.1 200"]);
    expect(await ask(open(tested.url))).toBe("closed");
    one.destroy();
    await expect.poll(() => ask(open(tested.url))).toBe("HTTP/1.1 200");
    await using behind = await TestedAuthority.start({ limits, trustedProxies: ["127.0.0.1"] });
    for (let i = 0; i < 4; i += 1) expect(await ask(open(behind.url))).toBe("HTTP/1.1 200");
  });

  it.each([
    ["head", "POST /v1/agent/register HTTP/1.1\r\nHost: x\r\nX-", { requestHeadMs: 200 }],
    ["body", `${head("none", 100)}{`, { requestHeadMs: 200, requestMs: 200 }],
  ])(
    "whose request's %s does not come are ended with 408 (G-A10)",
    async (_name, bytes, limits) => {
      await using tested = await TestedAuthority.start({ limits });
      const socket = open(tested.url);
      socket.write(bytes);
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toContain('"code":"invalid_request"');
    },
  );

  it("may send a body so long, and no longer", async () => {
    await using tested = await TestedAuthority.start({ limits: { maxBodyBytes: 300 } });
    const token = await tested.token();
    expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
    const long = await tested.registerAgent(token, AgentKey.generate(), { x: "x".repeat(300) });
    expectRefusal(long, 413, "invalid_request");
  });
});
