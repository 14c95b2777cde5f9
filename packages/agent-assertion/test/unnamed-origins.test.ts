import { afterEach, describe, expect, test } from "vitest";
import type { AssertionOptions } from "../src/fetch.js";
import { expectFailure } from "./expect-rejection.js";
import { TASK_ID } from "./fixtures.js";
import { credentialsOf, ScriptedSource, start, stopServers } from "./signed-fetch.js";
import { followers, type Transport, transports } from "./transports.js";
import { setUpDispatcher } from "./undici-scene.js";

afterEach(stopServers);

async function setUp(transport: Transport, options: Partial<AssertionOptions> = {}) {
  const [server, other] = [await start(), await start()];
  const source = new ScriptedSource();
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const send = transport.make(source, { origins: [server.url], onWarning, ...options });
  return { server, other, source, warnings, send };
}

describe.each(transports)("a request of $name to an origin that is not named", (transport) => {
  test("is sent as it is, with one warning for each origin, which names both (G-C1)", async () => {
    const { server, other, source, warnings, send } = await setUp(transport);
    const third = await start();
    const own = { authorization: "own", "x-api-key": "own" };
    for (let i = 0; i < 2; i += 1) {
      await send(`${other.url}/secret-path`, own);
      await send(third.url, own);
    }
    expect(credentialsOf(other)).toEqual(["own", "own"]);
    expect(warnings).toHaveLength(2);
    for (const [i, { url }] of [other, third].entries()) {
      expect(warnings[i]).toContain(url);
      expect(warnings[i]).toContain(server.url);
      expect(warnings[i]).not.toContain("secret-path");
    }
    expect(source.signals).toEqual([]);
  });

  test.each([
    ["by another name of its machine", (url: string) => url.replace("127.0.0.1", "localhost")],
    ["without its port", (url: string) => url.replace(/:\d+$/, "")],
  ])("is warned of where the origin is named %s", async (_, mistaken) => {
    const server = await start();
    const named = mistaken(server.url);
    const { source, warnings, send } = await setUp(transport, { origins: [named] });
    await send(server.url);
    expect(credentialsOf(server)).toEqual([undefined]);
    expect(warnings).toEqual([
      expect.stringContaining(`${server.url} is not signed: origins names ${named}`),
    ]);
    expect(source.signals).toEqual([]);
  });

  test("is refused where that is asked for, and nothing is sent (G-C1)", async () => {
    const { server, other, send } = await setUp(transport, { elsewhere: "refuse" });
    const error = await expectFailure(() => send(`${other.url}/secret-path`), "invalid_request");
    expect(error.message).toContain(other.url);
    expect(error.message).not.toContain("secret-path");
    expect(error.hint).toContain(server.url);
    expect(other.requests).toEqual([]);
    await send(server.url);
    expect(credentialsOf(server)).toEqual([TASK_ID]);
  });

  test("outside the pattern of a named one is no warning, and refused where that is asked for", async () => {
    const server = await start();
    const origins = [`${server.url}/v1/*`];
    const passing = await setUp(transport, { origins });
    await passing.send(`${server.url}/v2/x`);
    const refusing = await setUp(transport, { origins, elsewhere: "refuse" });
    await expectFailure(() => refusing.send(`${server.url}/v2/x`), "invalid_request");
    expect([credentialsOf(server), passing.warnings]).toEqual([[undefined], []]);
  });
});

describe.each(followers)("a redirect of $name", (transport) => {
  test("to an origin that is not named is no warning", async () => {
    const { server, other, warnings, send } = await setUp(transport);
    server.answer({ status: 302, headers: { location: other.url } });
    await send(server.url);
    expect([other.requests.length, warnings]).toEqual([1, []]);
  });

  test("to an origin that is not named is refused where that is asked for", async () => {
    const { server, other, send } = await setUp(transport, { elsewhere: "refuse" });
    server.answer({ status: 302, headers: { location: other.url } });
    await expectFailure(() => send(server.url), "invalid_request");
    expect([server.requests.length, other.requests]).toEqual([1, []]);
  });
});

test("warnings are of 100 origins at most", async () => {
  const [fetching] = transports;
  const { warnings, send } = await setUp(fetching ?? expect.fail());
  for (let i = 1; i <= 101; i += 1) await send(`http://127.0.0.1:${i}/`).catch(() => {});
  expect(warnings).toHaveLength(100);
});

test("what a dispatcher sends without an origin, or by CONNECT, is refused with all else", async () => {
  const { server, agent, client } = await setUpDispatcher({ elsewhere: "refuse" });
  const path = "http://127.0.0.1:1/v1/x";
  await expectFailure(
    () => agent.request({ origin: server.url, path, method: "GET" }),
    "invalid_request",
  );
  await expectFailure(
    () => client().connect({ origin: server.url, path: "127.0.0.1:1" }),
    "invalid_request",
  );
  expect(server.requests).toEqual([]);
});
