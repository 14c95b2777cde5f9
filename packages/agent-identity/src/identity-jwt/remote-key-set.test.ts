import { AgentKeyError } from "@countersign/agent-key";
import {
  FakeClock,
  headerOf,
  pacedBy,
  startTestUpstream,
  type TestAuthority,
} from "@countersign/testing";
import { expectRejection, openAuthority, openGate } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { AuthorityError } from "../authority-error.js";
import { keySetUrl } from "./key-set-url.js";
import { type RemoteKeySetOptions, remoteKeySet } from "./remote-key-set.js";

async function open(options: RemoteKeySetOptions = {}) {
  const clock = new FakeClock();
  const authority = await openAuthority({ now: clock.now });
  const keySet = remoteKeySet(keySetUrl(authority.url), {
    now: clock.now,
    ...pacedBy(),
    ...options,
  });
  const find = async (kid = authority.issuer.kid) => (await keySet.find(kid)).map((key) => key.kid);
  return { clock, authority, keySet, find, kid: authority.issuer.kid };
}

/** The server fails until it is told otherwise; one call is three attempts. */
function breakServer(authority: TestAuthority): void {
  authority.fault("key_set", { kind: "status", status: 503 }, Number.POSITIVE_INFINITY);
}

describe("refuses", () => {
  test("a text that is not a URL, plain http to another machine, and times that are not valid", () => {
    const wrong: [string, RemoteKeySetOptions][] = [
      ["jwks", {}],
      ["http://authority.example/jwks", {}],
      ["https://user:secret@authority.example/jwks", {}],
      ["https://authority.example/jwks", { cacheSeconds: -1 }],
      ["https://authority.example/jwks", { staleIfErrorSeconds: Number.NaN }],
      ["https://authority.example/jwks", { cacheSeconds: 604_801 }],
    ];
    for (const [url, options] of wrong) {
      expect(() => remoteKeySet(url, options)).toThrow(
        expect.objectContaining({ name: AgentKeyError.brandName, code: "config_invalid" }),
      );
    }
  });

  test.each([
    ["a redirect", { kind: "redirect", location: "/elsewhere" }],
    ["no JSON", { kind: "answer", body: "<html>", contentType: "text/html" }],
    ["malformed JSON", { kind: "answer", body: "{" }],
    ["JSON that is no key set", { kind: "answer", body: { keys: "none" } }],
    ["over 1 MiB", { kind: "answer", body: { keys: [], more: "x".repeat(1024 * 1024) } }],
  ] as const)("an answer that is %s, without a second try", async (_, fault) => {
    const { authority, find } = await open();
    authority.fault("key_set", fault);
    const error = await expectRejection(find(), AuthorityError, "bad_response");
    expect(error.retryable).toBe(false);
    expect(authority.counts.keySet).toBe(1);
    // The next call fetches again.
    expect(await find()).toEqual([authority.issuer.kid]);
  });

  test("to wait beyond its deadline", async () => {
    const { authority, find } = await open({ now: Date.now, deadlineMs: 50 });
    authority.fault("key_set", { kind: "hang" }, Number.POSITIVE_INFINITY);
    const error = await expectRejection(find(), AuthorityError, "timeout");
    expect(error.retryable).toBe(true);
  });
});

test("asks once, without a credential, for callers that come together and for those that come later", async () => {
  const { authority, find, clock, kid } = await open();
  const gate = openGate();
  authority.fault("key_set", { kind: "hold", until: gate.opened });
  const together = Promise.all(Array.from({ length: 50 }, () => find()));
  await expect.poll(() => authority.counts.keySet).toBe(1);
  gate.open();
  expect(await together).toEqual(Array.from({ length: 50 }, () => [kid]));
  clock.advance(599_999);
  expect(await find()).toEqual([kid]);
  expect(authority.counts.keySet).toBe(1);
  const [request] = authority.requests;
  if (request === undefined) throw new Error("no request");
  expect(headerOf(request, "authorization")).toBeUndefined();
  expect(headerOf(request, "cookie")).toBeUndefined();
  clock.advance(1);
  await find();
  expect(authority.counts.keySet).toBe(2);
});

test("a caller that leaves does not end the fetch for others", async () => {
  const { authority, keySet, find, kid } = await open();
  const gate = openGate();
  authority.fault("key_set", { kind: "hold", until: gate.opened });
  const controller = new AbortController();
  const leaving = expectRejection(
    keySet.find(kid, { signal: controller.signal }),
    AuthorityError,
    "cancelled",
  );
  const staying = find();
  await expect.poll(() => authority.counts.keySet).toBe(1);
  controller.abort();
  await leaving;
  gate.open();
  expect(await staying).toEqual([kid]);
  expect(authority.counts.keySet).toBe(1);
});

test("looks again for a key it does not hold, at most once in 30 seconds", async () => {
  const { authority, find, clock } = await open();
  expect(await find("other")).toEqual([]);
  expect(await Promise.all([find("other"), find("another")])).toEqual([[], []]);
  expect(authority.counts.keySet).toBe(1);
  clock.advance(29_999);
  await find("other");
  expect(authority.counts.keySet).toBe(1);
  clock.advance(1);
  authority.issuer.rotate();
  expect(await Promise.all([find("key-2"), find("key-2"), find("other")])).toEqual([
    ["key-2"],
    ["key-2"],
    [],
  ]);
  expect(authority.counts.keySet).toBe(2);
});

test("a withdrawn key is gone once the cache has ended", async () => {
  const { authority, find, clock } = await open({ cacheSeconds: 60 });
  await find("key-1");
  authority.issuer.rotate();
  authority.issuer.withdraw("key-1");
  clock.advance(59_999);
  expect(await find("key-1")).toEqual(["key-1"]);
  clock.advance(1);
  expect(await find("key-1")).toEqual([]);
});

describe("while its server fails", () => {
  test("the last set is used until it is too old, and the server is asked once in 30 seconds", async () => {
    const { authority, find, clock, kid } = await open();
    await find();
    breakServer(authority);
    clock.advance(600_000);
    expect(await find()).toEqual([kid]);
    expect(authority.counts.keySet).toBe(4);
    expect(await find()).toEqual([kid]);
    expect(authority.counts.keySet).toBe(4);
    clock.advance(30_000);
    expect(await find()).toEqual([kid]);
    expect(authority.counts.keySet).toBe(7);
    clock.advance(3_600_000 - 630_000);
    await expectRejection(find(), AuthorityError, "server_error");
    authority.clearFaults();
    expect(await find()).toEqual([kid]);
  });

  test("no set at all is an error that may be tried again, at once", async () => {
    const { authority, find } = await open();
    breakServer(authority);
    const error = await expectRejection(find(), AuthorityError, "server_error");
    expect(error.retryable).toBe(true);
    authority.clearFaults();
    expect(await find()).toEqual(["key-1"]);
  });

  test("nothing old is used where that is not wanted", async () => {
    const { authority, find, clock } = await open({ cacheSeconds: 60, staleIfErrorSeconds: 0 });
    await find();
    breakServer(authority);
    clock.advance(60_000);
    await expectRejection(find(), AuthorityError, "server_error");
  });

  test("a key it does not hold is not taken for unknown", async () => {
    const { authority, find, clock } = await open();
    await find();
    breakServer(authority);
    clock.advance(30_000);
    await expectRejection(find("other"), AuthorityError, "server_error");
  });

  test("a refusal is no passing failure: nothing old is used", async () => {
    const { authority, find, clock } = await open();
    await find();
    authority.fault("key_set", { kind: "status", status: 403 }, Number.POSITIVE_INFINITY);
    clock.advance(600_000);
    await expectRejection(find(), AuthorityError, "forbidden");
  });
});

test("without a request it returns the keys that it holds, as long as they may be used", async () => {
  const { authority, keySet, find, clock } = await open();
  expect(keySet.peek("key-1")).toEqual([]);
  await find();
  expect(keySet.peek("key-1")).toHaveLength(1);
  expect(keySet.peek("other")).toEqual([]);
  clock.advance(3_600_000);
  expect(keySet.peek("key-1")).toEqual([]);
  expect(authority.counts.keySet).toBe(1);
});

test("a clock that is set back makes nothing fresh for ever", async () => {
  const { authority, find, clock } = await open();
  await find();
  clock.advance(-86_400_000);
  await find();
  expect(authority.counts.keySet).toBe(2);
});

test("asks the URL as it is configured, with its query", async () => {
  const upstream = await startTestUpstream(() => ({
    headers: { "content-type": "application/jwk-set+json" },
    body: JSON.stringify({ keys: [] }),
  }));
  onTestFinished(() => upstream.close());
  await remoteKeySet(`${upstream.url}/keys/set.json?tenant=a%20b`).find("key-1");
  expect(upstream.requests.map(({ url }) => url)).toEqual(["/keys/set.json?tenant=a%20b"]);
});
