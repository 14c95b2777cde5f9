import { AgentKeyError, type Credential } from "@countersign/agent-key";
import { headerOf, type TestUpstream } from "@countersign/testing";
import { afterEach, describe, expect, test } from "vitest";
import type { AssertionOptions } from "../src/fetch.js";
import { AssertionSigner } from "../src/index.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { AUTHORITY, NOW, TASK_ID } from "./fixtures.js";
import { bearerFor, credentialsOf, ScriptedSource, start, stopServers } from "./signed-fetch.js";
import { followers, type Transport, transports } from "./transports.js";

afterEach(stopServers);

const KEYS = ["x-api-key", "api-key", "x-goog-api-key"];
const own = {
  AUTHORIZATION: "Bearer own-secret",
  "X-Api-Key": "own-secret-1",
  "api-key": "own-secret-2",
  "X-GOOG-API-KEY": "own-secret-3",
  "x-own": "1",
};
const off: Credential = { kind: "none", reason: "feature_off" };
const redirectTo = (location: string | readonly string[]) => ({
  status: 302,
  headers: { location },
});

async function setUp(transport: Transport, options: Partial<AssertionOptions> = {}) {
  const server = await start();
  const source = new ScriptedSource();
  const warnings: string[] = [];
  const send = transport.make(source, {
    origins: [server.url],
    signer: new AssertionSigner({ now: () => NOW }),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  return { server, source, warnings, send };
}

// The names of the key fields that each request had.
function keysOf(server: TestUpstream): string[][] {
  return server.requests.map((request) =>
    KEYS.filter((name) => headerOf(request, name) !== undefined),
  );
}

describe.each(transports)("the caller's own credential in $name", (transport) => {
  test("is replaced, with one warning that shows no value (G-C2, G-H12)", async () => {
    const { server, warnings, send } = await setUp(transport);
    await send(server.url, own);
    await send(server.url, own);
    expect(credentialsOf(server)).toEqual([TASK_ID, TASK_ID]);
    expect(keysOf(server)).toEqual([[], []]);
    expect(headerOf(server.requests[0] ?? expect.fail(), "x-own")).toBe("1");
    expect(warnings).toEqual([expect.stringContaining(["authorization", ...KEYS].join(", "))]);
    expect(warnings.join()).not.toContain("own-secret");
  });

  test("is replaced by the human's token where that may go", async () => {
    const { server, source, send } = await setUp(transport);
    source.current = bearerFor([server.url]);
    await send(server.url, own);
    expect(credentialsOf(server)).toEqual(["Bearer human-secret"]);
    expect(keysOf(server)).toEqual([[]]);
  });

  test("is kept as far as keepFields names it", async () => {
    const { server, send } = await setUp(transport, { keepFields: ["X-API-Key"] });
    await send(server.url, own);
    expect(credentialsOf(server)).toEqual([TASK_ID]);
    expect(keysOf(server)).toEqual([["x-api-key"]]);
  });

  test.each(Object.keys(own).filter((name) => name !== "x-own"))(
    "is refused as %s, and nothing is sent (G-C2)",
    async (name) => {
      const { server, send } = await setUp(transport, { ownAuthorization: "refuse" });
      const error = await expectFailure(
        () => send(server.url, { [name]: "own" }),
        "invalid_request",
      );
      expect(error.message).toContain(name.toLowerCase());
      expect(server.requests).toEqual([]);
    },
  );

  test("is not refused as a field that keepFields names", async () => {
    const options = { ownAuthorization: "refuse", keepFields: ["api-key"] } as const;
    const { server, send } = await setUp(transport, options);
    await send(server.url, { "Api-Key": "own" });
    expect([credentialsOf(server), keysOf(server)]).toEqual([[TASK_ID], [["api-key"]]]);
  });

  test("wins by ownAuthorization keep, with one warning that shows no value", async () => {
    const { server, source, warnings, send } = await setUp(transport, { ownAuthorization: "keep" });
    await send(server.url, own);
    await send(server.url, own);
    expect(credentialsOf(server)).toEqual(Array(2).fill("Bearer own-secret"));
    expect(keysOf(server)).toEqual([KEYS, KEYS]);
    expect(warnings).toEqual([expect.stringContaining("not signed")]);
    expect(warnings.join()).not.toContain("own-secret");
    expect(source.signals).toEqual([]);
    await send(server.url, { "x-api-key": "own" });
    expect([credentialsOf(server)[2], keysOf(server)[2]]).toEqual([TASK_ID, ["x-api-key"]]);
  });

  test.each<[string, Credential, AssertionOptions["ownAuthorization"]]>([
    ["with the feature off", off, "replace"],
    ["with the feature off, where it is refused else", off, "refuse"],
    [
      "where the human's token may not go",
      { ...bearerFor([]), reason: "feature_off" } as Credential,
      "replace",
    ],
  ])("goes out as it is %s", async (_, credential, ownAuthorization) => {
    const { server, source, warnings, send } = await setUp(transport, { ownAuthorization });
    source.current = credential;
    await send(server.url, own);
    await send(server.url);
    expect(credentialsOf(server)).toEqual(["Bearer own-secret", undefined]);
    expect(keysOf(server)).toEqual([KEYS, []]);
    expect([warnings, source.heard]).toEqual([[], []]);
  });

  test("is not sent again when the feature was turned off after a refusal", async () => {
    const { server, source, send } = await setUp(transport);
    source.next = off;
    server.answer({ status: 401 });
    await send(server.url, own).catch(() => {});
    expect(credentialsOf(server)).toEqual([TASK_ID]);
  });

  test("is not sent in place of a fallback that may not go there", async () => {
    const { server, source, send } = await setUp(transport);
    const error = new AgentKeyError("unreachable", "the authority is away", { retryable: true });
    const bearer = { kind: "bearer", authority: AUTHORITY, accessToken: "human-secret" } as const;
    source.current = { ...bearer, reason: "fallback", origins: [], error };
    expect(await failureOf(() => send(server.url, own))).toBe(error);
    expect(server.requests).toEqual([]);
  });
});

describe.each(followers)("after a redirect, the caller's own credential in $name", (transport) => {
  test.each<[string, Partial<AssertionOptions>, string]>([
    ["that was replaced", {}, TASK_ID],
    ["that keepFields names", { keepFields: KEYS }, TASK_ID],
    ["that was kept", { ownAuthorization: "keep" }, "Bearer own-secret"],
  ])(
    "%s goes to no origin that is not named, and not back (G-C5)",
    async (_, options, credential) => {
      const { server, warnings, send } = await setUp(transport, options);
      const other = await start(({ url }) =>
        url === "/" ? redirectTo("/further") : redirectTo(`${server.url}/back`),
      );
      server.answer(redirectTo(other.url));
      await send(server.url, own);
      expect(other.requests.map(({ url }) => url)).toEqual(["/", "/further"]);
      expect([credentialsOf(other), keysOf(other)]).toEqual([
        [undefined, undefined],
        [[], []],
      ]);
      expect(credentialsOf(server)).toEqual([credential, undefined]);
      expect(keysOf(server)[1]).toEqual([]);
      expect(headerOf(other.requests[1] ?? expect.fail(), "x-own")).toBe("1");
      // Its caller did not choose the other origin.
      expect(warnings).toHaveLength(1);
    },
  );

  test("goes to no origin that two Location lines lead to, and not back", async () => {
    const { server, send } = await setUp(transport, { keepFields: KEYS });
    const other = await start(() => redirectTo([`${server.url}/back`, "/b"]));
    server.answer(redirectTo([`${other.url}/a`, "/b"]));
    // Clients differ in whether they follow it.
    await send(server.url, own).catch(() => {});
    const [, ...back] = server.requests;
    const led = [...other.requests, ...back];
    const names = led.flatMap(({ rawHeaders }) => rawHeaders.map(([name]) => name.toLowerCase()));
    expect(names.filter((name) => ["authorization", ...KEYS].includes(name))).toEqual([]);
  });

  test("stays removed at another named origin, and what is kept stays kept (G-C2)", async () => {
    const two = await start();
    const one = await start(() => redirectTo(two.url));
    const origins = [one.url, two.url];
    const { send } = await setUp(transport, { origins, keepFields: ["api-key"] });
    await send(one.url, own);
    expect([credentialsOf(one), credentialsOf(two)]).toEqual([[TASK_ID], [TASK_ID]]);
    expect([keysOf(one), keysOf(two)]).toEqual([[["api-key"]], [["api-key"]]]);
  });

  test("stays removed at a named origin where no credential may go", async () => {
    const two = await start();
    const one = await start(() => redirectTo(two.url));
    const { source, send } = await setUp(transport, { origins: [one.url, two.url] });
    source.current = { ...bearerFor([one.url]), reason: "feature_off" } as Credential;
    await send(one.url, own);
    expect(credentialsOf(one)).toEqual(["Bearer human-secret"]);
    expect([credentialsOf(two), keysOf(two)]).toEqual([[undefined], [[]]]);
  });

  test("with the feature off is what the client makes of it", async () => {
    const { server, source, send } = await setUp(transport);
    const other = await start();
    server.answer(redirectTo("/next"), redirectTo(other.url));
    source.current = off;
    await send(server.url, own);
    expect(credentialsOf(server)).toEqual(Array(2).fill("Bearer own-secret"));
    expect([credentialsOf(other), keysOf(other)]).toEqual([[undefined], [KEYS]]);
  });

  test("that was kept goes on within its origin", async () => {
    const { server, source, send } = await setUp(transport, { ownAuthorization: "keep" });
    server.answer(redirectTo("/next"));
    await send(server.url, own);
    expect(credentialsOf(server)).toEqual(Array(2).fill("Bearer own-secret"));
    expect(source.signals).toEqual([]);
  });
});
