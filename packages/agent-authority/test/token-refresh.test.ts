import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished, vi } from "vitest";
import { createAuthorityMetrics } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { TestedAuthority } from "./start-authority.js";

const PATH = "/backend-api/codex/token-refresh";
const CANARY = "rt-canary-5f1d0c9b7a";
const BODY = JSON.stringify({ grant_type: "refresh_token", refresh_token: CANARY });

/** Sends bytes, and resolves to what was answered up to this end or, where the server keeps the connection, the end of the body. */
async function sendRaw(base: string, fields: string, rest = ""): Promise<string> {
  const { hostname, port } = new URL(base);
  const socket = connect({ host: hostname, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  // The answer may come, and the connection end, while this is still being written.
  socket.on("error", () => {});
  const type = "Content-Type: application/json\r\n";
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\n${type}${fields}\r\n${rest}`);
  return await text(socket);
}

it.each<[string, string, string?]>([
  ["a body that never arrives", "Content-Length: 200\r\nConnection: close\r\n"],
  ["a body that never ends", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"],
  ["a body over the limit", "Content-Length: 99999999\r\n", "x".repeat(1000)],
])("answers the refresh of a token at once, with %s (G-A43)", async (_, fields, rest) => {
  await using tested = await TestedAuthority.start();
  const [head = "", body = ""] = (await sendRaw(tested.url, fields, rest)).split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(head).toMatch(/^connection: close$/im);
  expect(JSON.parse(body)).toEqual({ detail: expect.stringMatching(/codex repair/) });
});

it("keeps nothing of a refresh: no log, audit log, figure or answer holds the token (G-A43)", async () => {
  const lines: unknown[] = [];
  const logger = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
  for (const log of Object.values(logger)) log.mockImplementation((...line) => lines.push(line));
  const metrics = createAuthorityMetrics({ version: "1.2.3" });
  await using tested = await TestedAuthority.start({ logger, metrics });
  const bodies = [BODY, BODY.slice(1), Buffer.from(BODY), "x".repeat(300_000) + CANARY];
  const answers = [];
  for (const [index, body] of bodies.entries()) {
    const headers = index === 2 ? { "content-type": "text/plain" } : {};
    answers.push(await tested.call("POST", PATH, { headers, body }));
  }
  expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 200));
  const events = await tested.authority.registry.listAuditEvents();
  const figures = await metrics.render();
  expect(events).toEqual([]);
  expect(figures).toContain(`route="${PATH}",status="200",code="none"} 4`);
  expect(lines.length).toBeGreaterThanOrEqual(4);
  const kept = JSON.stringify([lines, events, answers]) + figures;
  expect(kept).not.toMatch(new RegExp(`${CANARY}|grant_type`));
});

it("refuses a refresh for its number alone, where the address has used up its limit", async () => {
  await using tested = await TestedAuthority.start({
    rateLimits: { refusalsPerMinute: 1, addressPerMinute: 1 },
  });
  for (const _ of [1, 2, 3]) await tested.call("GET", "/v1/whoami");
  expectRefusal(await tested.call("POST", PATH, { body: BODY }), 429, "rate_limited");
});
