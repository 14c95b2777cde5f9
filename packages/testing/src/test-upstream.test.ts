import { afterEach, expect, test } from "vitest";
import { headerOf } from "./recorded-request.js";
import { startTestUpstream, type TestUpstream } from "./test-upstream.js";

const open: TestUpstream[] = [];
afterEach(async () => {
  for (const upstream of open.splice(0)) await upstream.close();
});

async function start(...args: Parameters<typeof startTestUpstream>): Promise<TestUpstream> {
  const upstream = await startTestUpstream(...args);
  open.push(upstream);
  return upstream;
}

test("records method, target, header lines and body bytes", async () => {
  const upstream = await start();
  const answer = await fetch(`${upstream.url}/a?b=c`, {
    method: "PUT",
    headers: { "X-One": "1" },
    body: Uint8Array.of(0, 255),
  });
  expect(await answer.json()).toEqual({ ok: true });
  const [request] = upstream.requests;
  expect(request).toMatchObject({ method: "PUT", url: "/a?b=c", bytes: Uint8Array.of(0, 255) });
  expect(request && headerOf(request, "x-one")).toBe("1");
  expect(request && headerOf(request, "x-two")).toBeUndefined();
});

test("answers by script first, then by its handler", async () => {
  const upstream = await start(({ url }) => ({ status: 404, body: url }));
  upstream.answer({ status: 201, headers: { "x-a": ["1", "2"] }, body: "made" }, { kind: "reset" });
  const made = await fetch(upstream.url);
  expect([made.status, made.headers.get("x-a"), await made.text()]).toEqual([201, "1, 2", "made"]);
  await expect(fetch(upstream.url)).rejects.toThrow();
  const missing = await fetch(`${upstream.url}/x`);
  expect([missing.status, await missing.text()]).toEqual([404, "/x"]);
});

test("sends each event at once, and notices that the caller went away", async () => {
  const upstream = await start();
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* events() {
    yield "one";
    await gate;
    yield "two";
  }
  upstream.answer({ kind: "events", events: events() });
  const stream = await fetch(upstream.url);
  const reader = stream.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toBe("data: one\n\n");
  await reader?.cancel();
  await expect.poll(() => upstream.requests[0]?.aborted).toBe(true);
  release();
});

test("holds an answer until it is told", async () => {
  const upstream = await start();
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  upstream.answer({ kind: "hold", until, answer: { body: "late" } });
  const held = fetch(upstream.url);
  await expect.poll(() => upstream.requests.length).toBe(1);
  release();
  expect(await (await held).text()).toBe("late");
});
