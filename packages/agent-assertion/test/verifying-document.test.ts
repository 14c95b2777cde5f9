import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { startTestUpstream } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { withAssertion } from "../src/fetch.js";
import { type AssertionVerifier, createDirectoryRecord } from "../src/index.js";
import { createBoundVerifier } from "./examples/bound-verifier.js";
import { createDirectory } from "./examples/counted-directory.js";
import { createExpressApi } from "./examples/express-server.js";
import { createFastifyApi } from "./examples/fastify-server.js";
import { createHonoApi } from "./examples/hono-server.js";
import { agent, task } from "./fixtures.js";
import { listenerOf } from "./middlewares/hono-listener.js";
import { endWithTest } from "./middlewares/scene.js";
import { ScriptedSource } from "./signed-fetch.js";

const apis: readonly [string, (verifier: AssertionVerifier) => Promise<RequestListener>][] = [
  ["Express", async (verifier) => createExpressApi(verifier)],
  [
    "Fastify",
    async (verifier) => {
      const app = createFastifyApi(verifier);
      endWithTest(() => app.close());
      await app.ready();
      return (request, response) => app.routing(request, response);
    },
  ],
  ["Hono", async (verifier) => listenerOf(createHonoApi(verifier))],
];

// A server of docs/verifying.md behind the verifier there, reached at a public URL of its own.
async function startExample(create: (verifier: AssertionVerifier) => Promise<RequestListener>) {
  const authority = await startTestUpstream(({ url }) => ({
    body: createDirectoryRecord(agent, url.includes("/task/") ? task : undefined),
  }));
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const verifier = createBoundVerifier(authority.url, origin);
  server.on("request", await create(verifier));
  endWithTest(async () => {
    server.close();
    server.closeAllConnections();
    await authority.close();
  });
  const source = new ScriptedSource();
  const bound = withAssertion(fetch, source, { origins: [origin], binding: true });
  const unbound = withAssertion(fetch, source, { origins: [origin] });
  return { origin, bound, unbound };
}

describe.each(apis)("the document's server on %s", (_, create) => {
  const post = { method: "POST", headers: { "content-type": "application/json" } } as const;

  test("knows the agent of a bound request, and reads its body", async () => {
    const { origin, bound } = await startExample(create);
    const answer = await bound(`${origin}/v1/echo?x=1`, { ...post, body: '{"input":1}' });
    expect(await answer.json()).toEqual({ agent: "agent-1", body: { input: 1 } });
  });

  test("refuses a request that is not bound, and leaves other routes open", async () => {
    const { origin, unbound } = await startExample(create);
    const answer = await unbound(`${origin}/v1/echo`, { ...post, body: "{}" });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: "binding_required" });
    expect(await (await fetch(`${origin}/healthz`)).text()).toBe("ok\n");
  });
});

test("the document's server on Express asks for a capability where it has to", async () => {
  const { origin, bound } = await startExample(async (verifier) => createExpressApi(verifier));
  const answer = await bound(`${origin}/v1/everything`, { method: "DELETE" });
  expect(answer.status).toBe(403);
});

test("the document's directory counts its lookups", async () => {
  const authority = await startTestUpstream(() => ({ body: createDirectoryRecord(agent) }));
  const counted: string[] = [];
  const directory = createDirectory(authority.url, (name) => counted.push(name));
  endWithTest(async () => {
    await directory.close?.();
    await authority.close();
  });
  await directory.agent("agent-1");
  await directory.agent("agent-1");
  expect(counted).toEqual(["agent miss", "agent hit"]);
});

test.each([
  "express-server",
  "fastify-server",
  "hono-server",
  "counted-directory",
  "bound-verifier",
])("docs/verifying.md shows the %s that is run here", (name) => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const program = read(`./examples/${name}.ts`)
    .replaceAll('"../../src/index.js"', '"@countersign/agent-assertion"')
    .replaceAll(/"\.\.\/\.\.\/src\/(.+)\.js"/g, '"@countersign/agent-assertion/$1"');
  expect(read("../../../docs/verifying.md")).toContain(`\`\`\`ts\n${program}\`\`\``);
});
