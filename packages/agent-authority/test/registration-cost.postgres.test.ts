import { Client } from "pg";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { TestedAuthority } from "./start-authority.js";

afterEach(() => {
  vi.restoreAllMocks();
});

it("registers a task in seven round trips, and PostgreSQL parses no query again", async () => {
  const tested = await TestedAuthority.start({ rateLimits: "off" });
  onTestFinished(() => tested[Symbol.asyncDispose]());
  const { id, key } = await tested.agent();
  // That use of a token is written late.
  await tested.useNoted("user-1");
  let count = 0;
  const register = async () => {
    count += 1;
    const headers = { "idempotency-key": `key-${count}` };
    const answer = await tested.registerTask(id, key, headers);
    expect(answer.status, answer.text).toBe(200);
  };
  await register();
  await register();
  const query = vi.spyOn(Client.prototype, "query");
  await register();
  const sent = query.mock.calls.map(([config]) => config as unknown as Sent);
  expect(sent.map(({ text }) => text.split(" ", 1)[0])).toEqual([
    "select",
    "start",
    "select",
    "select",
    "insert",
    "insert",
    "commit",
  ]);
  expect(sent.filter(({ name }) => name === undefined).map(({ text }) => text)).toEqual([
    "start transaction isolation level read committed",
    "commit",
  ]);
});

interface Sent {
  readonly text: string;
  readonly name: string | undefined;
}
