import { createHash } from "node:crypto";
import { headerOf, type UpstreamAnswer } from "@countersign/testing";
import { afterEach, describe, expect, test } from "vitest";
import { createProblem } from "../src/index.js";
import { failureOf } from "./expect-rejection.js";
import { membersOf, TASK_ID } from "./fixtures.js";
import {
  credentialsOf,
  first,
  refusal,
  second,
  setUp,
  start,
  stopServers,
  streamOf,
} from "./signed-fetch.js";

afterEach(stopServers);

describe("a 401", () => {
  const bodies: readonly [string, () => NonNullable<RequestInit["body"]>][] = [
    ["a text", () => "body"],
    ["bytes", () => Buffer.from("body")],
    ["an ArrayBuffer", () => Uint8Array.from(Buffer.from("body")).buffer],
    ["a Blob", () => new Blob(["body"])],
    ["a form", () => new URLSearchParams({ body: "1" })],
  ];

  test.each(bodies)("is answered with another credential, and %s sent again", async (_, body) => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(refusal);
    const response = await api(server.url, { method: "POST", body: body() });
    expect(response.status).toBe(200);
    expect(credentialsOf(server)).toEqual([TASK_ID, "task-2"]);
    const [one, two] = server.requests;
    expect(one?.body).not.toBe("");
    expect(two?.body).toBe(one?.body);
    expect(source.heard).toEqual([
      ["refused", first, { code: "task_revoked", origin: server.url }],
      ["accepted", second, server.url],
    ]);
  });

  test("is answered with another credential, and a multipart form sent again", async () => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(refusal);
    const body = new FormData();
    body.set("a", new Blob(["file"]), "name");
    expect((await api(server.url, { method: "POST", body })).status).toBe(200);
    for (const request of server.requests) {
      const boundary = /boundary=(.+)$/.exec(headerOf(request, "content-type") ?? "")?.[1];
      expect(request.body).toContain(boundary);
      expect(request.body).toContain("file");
    }
  });

  test("is answered with another credential, and a function's stream made again", async () => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(refusal);
    let made = 0;
    const body = () => streamOf(`body ${++made}`);
    expect((await api(server.url, { method: "POST", body })).status).toBe(200);
    expect(server.requests.map((request) => request.body)).toEqual(["body 1", "body 2"]);
  });

  test("is answered with another credential for a Request without a body", async () => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(refusal);
    expect((await api(new Request(server.url))).status).toBe(200);
    expect(credentialsOf(server)).toEqual([TASK_ID, "task-2"]);
  });

  test.each<[string, (url: string) => Parameters<typeof fetch>]>([
    ["a stream", (url) => [url, { method: "POST", body: streamOf("body"), duplex: "half" }]],
    ["a Request with a body", (url) => [new Request(url, { method: "POST", body: "body" })]],
  ])("is handed up, and its source told, when %s cannot be sent again", async (_, input) => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(refusal);
    const response = await api(...input(server.url));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: "task_revoked" });
    expect(server.requests.map((request) => request.body)).toEqual(["body"]);
    expect(source.heard).toMatchObject([["refused", first, { code: "task_revoked" }]]);
  });

  test("is handed up whole when the source has no other credential", async () => {
    const { server, api } = await setUp();
    server.answer(refusal);
    const response = await api(server.url);
    expect(await response.json()).toMatchObject({ code: "task_revoked" });
    expect(server.requests).toHaveLength(1);
  });

  test("is handed up when the second credential is refused too", async () => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(refusal, createProblem("task_expired"), refusal);
    const response = await api(server.url);
    expect(await response.json()).toMatchObject({ code: "task_expired" });
    expect(credentialsOf(server)).toEqual([TASK_ID, "task-2"]);
    expect(source.heard.map(([event]) => event)).toEqual(["refused"]);
  });

  test("gives way to the source's error", async () => {
    const { server, source, api } = await setUp();
    const failure = new Error("the agent was revoked");
    source.refused = () => Promise.reject(failure);
    server.answer(refusal);
    expect(await failureOf(() => api(server.url))).toBe(failure);
  });

  const json = { "content-type": "application/problem+json; charset=utf-8" };
  test.each<[string, string | undefined, UpstreamAnswer]>([
    [
      "the challenge",
      "task_revoked",
      {
        status: 401,
        headers: { "www-authenticate": 'Bearer realm="x", AgentAssertion error="task_revoked"' },
      },
    ],
    [
      "the challenge, behind its realm",
      "task_revoked",
      {
        status: 401,
        headers: { "www-authenticate": 'AgentAssertion realm="x", error="task_revoked"' },
      },
    ],
    [
      "the challenge rather than the body",
      "expired",
      {
        status: 401,
        headers: { ...json, "www-authenticate": 'AgentAssertion error="expired"' },
        body: '{"code":"task_revoked"}',
      },
    ],
    [
      "the body, without a challenge",
      "task_expired",
      { status: 401, headers: json, body: '{"code":"task_expired"}' },
    ],
    [
      "the body, with an unknown code in the challenge",
      "task_expired",
      {
        status: 401,
        headers: { ...json, "www-authenticate": 'AgentAssertion error="gone"' },
        body: '{"code":"task_expired"}',
      },
    ],
    [
      "nothing, with an unknown code",
      undefined,
      { status: 401, headers: json, body: '{"code":"gone"}' },
    ],
    [
      "nothing, with a body that is no problem",
      undefined,
      { status: 401, headers: json, body: "[]" },
    ],
    ["nothing, with a broken body", undefined, { status: 401, headers: json, body: "{" }],
    ["nothing, with an empty body", undefined, { status: 401, headers: json }],
    [
      "nothing, with a body of another type",
      undefined,
      { status: 401, body: { code: "task_revoked" } },
    ],
    [
      "nothing, with a problem of unusual length",
      undefined,
      {
        status: 401,
        headers: json,
        body: JSON.stringify({ more: "x".repeat(200_000), code: "expired" }),
      },
    ],
  ])("is told to the source with the code of %s", async (_, code, answer) => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(answer);
    expect((await api(server.url)).status).toBe(200);
    expect(source.heard[0]).toEqual(["refused", first, { code, origin: server.url }]);
  });

  test("to 100 requests at once: each reports its own credential, and is sent again once", async () => {
    const server = await start((request) => {
      const { task_id = "" } = membersOf(headerOf(request, "authorization") ?? "");
      return task_id.startsWith("old-") ? refusal : {};
    });
    const { source, api } = await setUp({ origins: [server.url] });
    let given = 0;
    const told: unknown[] = [];
    source.credential = async () => ({ ...first, taskId: `old-${given++}` });
    source.refused = async (credential) => {
      told.push(credential.kind === "agent" ? credential.taskId : undefined);
      return second;
    };
    const calls = Array.from({ length: 100 }, () => api(server.url, { method: "POST", body: "b" }));
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
    expect([told.length, new Set(told).size, server.requests.length]).toEqual([100, 100, 200]);
  });

  test("keeps a long body readable when it is handed up", async () => {
    const { server, api } = await setUp();
    const body = JSON.stringify({ more: "x".repeat(200_000) });
    server.answer({ status: 401, headers: json, body });
    const text = await (await api(server.url)).text();
    expect(createHash("sha256").update(text).digest()).toEqual(
      createHash("sha256").update(body).digest(),
    );
  });
});
