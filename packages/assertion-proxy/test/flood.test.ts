import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { ELSEWHERE, FLOOD, type FloodScene, startFloodScene } from "./flood-scene.js";
import { connectRaw, readAnswer } from "./raw-client.js";
import { HANDSHAKE } from "./websocket-bytes.js";

const MANY = 4_200;
// Half of the lookups that run at the same time: the share of the flood's address.
const SHARE = 4;

/** Requests of an agent that the gateway knows, from the flood's address; and of others that it does not know, from another one. */
async function refusedOf(scene: FloodScene): Promise<{ cached: number; uncached: number }> {
  const cached: number[] = [];
  for (let index = 0; index < 200; index += 1) {
    cached.push(await scene.ask("known", { from: FLOOD }));
  }
  const uncached: number[] = [];
  for (let index = 0; index < 20; index += 1) {
    const accountId = `acct-${index}`;
    uncached.push(await scene.ask(`new-${index}`, { from: ELSEWHERE, accountId }));
  }
  const count = (statuses: number[]) => statuses.filter((status) => status !== 200).length;
  return { cached: count(cached), uncached: count(uncached) };
}

async function start(options: Parameters<typeof startFloodScene>[0] = {}): Promise<FloodScene> {
  const scene = await startFloodScene(options);
  expect(await scene.ask("known", { from: FLOOD, accountId: "acct-known" })).toBe(200);
  return scene;
}

function junkHeads(scene: FloodScene, count: number): string[] {
  return Array.from({ length: count }, (_, index) => scene.head(`invented-${index}`, "/quick"));
}

function junkIn(asked: readonly string[]): number {
  return asked.filter((path) => path.includes("/invented-")).length;
}

/** How many lookups are served before that of a new agent from another address. */
async function aheadOfNewcomer(scene: FloodScene): Promise<number | undefined> {
  expect(await scene.ask("newcomer", { from: ELSEWHERE, accountId: "acct-new" })).toBe(200);
  return scene.ahead("newcomer");
}

describe("no request of an honest agent is refused, and no lookup of one waits for more than a few of the flood", () => {
  test.each([
    ["answers", false],
    ["hangs", true],
  ])(
    "while 4,200 connections name invented agents and the authority %s (G-G13)",
    async (_name, hangs) => {
      const scene = await start({ hangs });
      await scene.flood(junkHeads(scene, MANY));
      expect(await aheadOfNewcomer(scene)).toBeLessThanOrEqual(SHARE);
      expect(await refusedOf(scene)).toEqual({ cached: 0, uncached: 0 });
      // What the flood gets of the authority in a minute, and what ran when that was counted.
      expect(junkIn(scene.asked)).toBeLessThanOrEqual(hangs ? SHARE : 600 + SHARE);
    },
    120_000,
  );

  test.each([
    ["answers", false],
    ["hangs", true],
  ])(
    "while one connection sends 4,300 heads of invented agents and the authority %s (G-G13)",
    async (_name, hangs) => {
      const scene = await start({ hangs });
      await scene.flood([junkHeads(scene, 4_300).join("")]);
      expect(await aheadOfNewcomer(scene)).toBeLessThanOrEqual(SHARE);
      expect(await refusedOf(scene)).toEqual({ cached: 0, uncached: 0 });
    },
    120_000,
  );

  test("while one valid agent has 4,200 requests that its upstream does not answer (G-G14)", async () => {
    const scene = await start();
    const slow = scene.head("flooder", "/slow", { accountId: "acct-flood" });
    await scene.flood(Array.from({ length: MANY }, () => slow));
    expect(await refusedOf(scene)).toEqual({ cached: 0, uncached: 0 });
    expect(await scene.limited("requests_per_agent")).toBe(MANY - 1_024);
    // Another agent of the same account.
    const accountId = "acct-flood";
    expect(await scene.ask("colleague", { from: FLOOD, accountId })).toBe(200);
  }, 120_000);

  test("while one valid agent opens more WebSockets than its share (G-G14)", async () => {
    const limits = { maxRequests: 40, maxRequestsPerAgent: 10, maxRequestsPerAccount: 20 };
    const scene = await start({ limits });
    const handshake = scene.head("flooder", "/v1", { accountId: "acct-flood", lines: HANDSHAKE });
    await scene.flood(Array.from({ length: 100 }, () => handshake));
    expect(await refusedOf(scene)).toEqual({ cached: 0, uncached: 0 });
    expect(await scene.limited("requests_per_agent")).toBe(90);
  });

  test("while the agents of one account have more requests than its share (G-G14)", async () => {
    const limits = { maxRequests: 40, maxRequestsPerAgent: 10, maxRequestsPerAccount: 20 };
    const scene = await start({ limits });
    const accountId = "acct-flood";
    const slow = Array.from({ length: 100 }, (_, index) =>
      scene.head(`flooder-${index}`, "/slow", { accountId }),
    );
    await scene.flood(slow);
    expect(await refusedOf(scene)).toEqual({ cached: 0, uncached: 0 });
    expect(await scene.limited("requests_per_account")).toBe(80);
  });
});

describe("a connection", () => {
  test("has so many requests in work, is told 429 for more, and stays usable", async () => {
    const scene = await start({ limits: { maxRequestsPerConnection: 2 }, hangs: true });
    const client = await connectRaw(scene.url.replace("0.0.0.0", FLOOD));
    client.send(scene.head("known", "/quick").repeat(3));
    const first = await readAnswer(client);
    expect(first.status).toBe(200);
    const text = await client.bytes.until("HTTP/1.1 429");
    expect(text.split("HTTP/1.1 200")).toHaveLength(3);
    await client.bytes.until('"code":"rate_limited"');
    expect(client.bytes.text).toMatch(/\r\nretry-after: 5\r\n/i);
    expect(client.bytes.text).not.toMatch(/\r\nconnection: close\r\n/i);
    client.send(scene.head("known", "/quick"));
    await client.bytes.until("HTTP/1.1 200", 3);
    expect(await scene.limited("requests_per_connection")).toBe(1);
  });
});

describe("connections", () => {
  const limits = { maxConnections: 4, maxConnectionsPerAddress: 3 };

  test("from one address are so many: the oldest that proved nothing makes room (G-G13)", async () => {
    const scene = await start({ limits });
    const [proven, oldest, second] = [
      ...(await scene.flood([scene.head("known", "/slow")])),
      ...(await scene.flood(junkHeads(scene, 2))),
    ];
    const third = scene.flood([scene.head("invented-3", "/quick")]);
    await once(oldest as Socket, "close");
    await third;
    expect([proven, oldest, second].map((it) => it?.destroyed)).toEqual([false, true, false]);
    expect(await scene.ask("known", { from: FLOOD })).toBe(200);
    expect(await scene.limited("connections_per_address")).toBe(2);
  });

  test("make room in all as well, and a new one is closed where all proved something", async () => {
    const scene = await start({ limits });
    const slow = scene.head("known", "/slow");
    await scene.flood([slow, slow]);
    const [junk] = await scene.flood(junkHeads(scene, 1), ELSEWHERE);
    const closed = once(junk as Socket, "close");
    await scene.flood([slow]);
    await scene.flood([slow], ELSEWHERE);
    await closed;
    expect(await scene.limited("connections")).toBe(1);
    await expect(scene.ask("known", { from: "127.0.0.3" })).resolves.toBe(0);
    expect(await scene.limited("connections")).toBe(2);
  });

  test("that are idle make room too, so that one valid agent does not hold them all (G-G14)", async () => {
    const scene = await start({ limits });
    const url = scene.url.replace("0.0.0.0", FLOOD);
    const idle = [await connectRaw(url), await connectRaw(url), await connectRaw(url)];
    for (const client of idle) {
      client.send(scene.head("flooder", "/quick", { accountId: "acct-flood" }));
      expect((await readAnswer(client)).status).toBe(200);
    }
    expect(await scene.ask("known", { from: FLOOD })).toBe(200);
    await idle[0]?.bytes.closed;
    expect(idle[1]?.socket.destroyed).toBe(false);
  });

  test("of a trusted proxy have no share, and make no room", async () => {
    const scene = await start({ limits, trustedProxies: ["127.0.0.0/8"] });
    const sockets = await scene.flood(junkHeads(scene, 4));
    expect(await scene.ask("known", { from: FLOOD })).toBe(0);
    expect(sockets.map((it) => it.destroyed)).toEqual([false, false, false, false]);
    expect(await scene.limited("connections_per_address")).toBe(0);
  });
});

describe("a client behind a proxy", () => {
  const lookups = { maxRunning: 2, maxWaiting: 4 };
  const from = (address: string) => `X-Forwarded-For: 10.0.0.9, ${address}\r\n`;

  test("has the share of the address that a trusted proxy names (G-G15)", async () => {
    const scene = await start({ hangs: true, lookups, trustedProxies: [FLOOD] });
    const junk = Array.from({ length: 10 }, (_, index) =>
      scene.head(`invented-${index}`, "/quick", { lines: from("192.0.2.1") }),
    );
    await scene.flood(junk);
    const newcomer = { from: FLOOD, accountId: "acct-new", lines: from("192.0.2.2") };
    expect(await scene.ask("newcomer", newcomer)).toBe(200);
    expect(junkIn(scene.asked)).toBe(1);
    expect(await scene.limited("lookups_per_address")).toBe(7);
  });

  test("has the share of its connection's address where no proxy is trusted (G-G15)", async () => {
    const scene = await start({ hangs: true, lookups });
    const junk = Array.from({ length: 10 }, (_, index) =>
      scene.head(`invented-${index}`, "/quick", { lines: from(`192.0.2.${index}`) }),
    );
    await scene.flood(junk);
    expect(await scene.ask("known", { from: FLOOD })).toBe(200);
    expect(junkIn(scene.asked)).toBe(1);
    expect(await scene.limited("lookups_per_address")).toBe(7);
  });
});

test("a gateway that serves one account gives it all places", async () => {
  const limits = { maxRequests: 6, maxRequestsPerAccount: 2 };
  const scene = await start({ limits, accounts: ["acct-known"] });
  await scene.flood(Array.from({ length: 5 }, () => scene.head("known", "/slow")));
  expect(await scene.ask("known", { from: FLOOD })).toBe(200);
});
