import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { remoteDirectory } from "../src/remote-directory.js";
import { AGENT_ID } from "./fixtures.js";

const NOW = Date.UTC(2026, 3, 15, 12, 0, 0, 500);

/** What a directory says of the clock of an authority that answers with these headers. */
async function clockOf(headers: Readonly<Record<string, string>>): Promise<readonly number[]> {
  const server = createServer((_request, response) => {
    response.sendDate = false;
    response.writeHead(500, headers).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const heard: number[] = [];
  const directory = remoteDirectory(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    now: () => NOW,
    onClock: (aheadMs) => heard.push(aheadMs),
  });
  onTestFinished(() => directory.close?.());
  await directory.agent(AGENT_ID).catch(() => {});
  return heard;
}

test.each([
  ["no date", {}],
  ["a date that cannot be read", { date: "noon" }],
  ["a date that a cache has kept", { date: new Date(NOW - 60_000).toUTCString(), age: "60" }],
])("an answer with %s says nothing of the authority's clock", async (_, headers) => {
  expect(await clockOf(headers)).toEqual([]);
});

test.each([
  ["ahead", 60_500, 60_000 + 500],
  ["behind", -60_500, -60_001 + 500],
  ["the same", 0, 0],
])("the authority's clock is %s by no more than its whole seconds prove", async (_, ms, ahead) => {
  const [heard, ...more] = await clockOf({ date: new Date(NOW + ms).toUTCString() });
  expect(more).toEqual([]);
  expect(heard).toBe(ahead);
});
