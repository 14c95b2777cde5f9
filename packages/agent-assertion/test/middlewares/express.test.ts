import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { describe, expect, test } from "vitest";
import { agentAssertion, agentOf } from "../../src/express.js";
import { UnreadableBody } from "../../src/node.js";
import { expectFailure } from "../expect-rejection.js";
import { AGENT_ID } from "../fixtures.js";
import { exchange } from "./raw-exchange.js";
import { boundLines, endWithTest, SceneDirectory, verifierOf } from "./scene.js";

const body = Buffer.from('{ "input" : "hello" }');
const kept = new WeakMap<IncomingMessage, Uint8Array>();

async function setUp(prepare: (app: express.Express) => void) {
  const app = express();
  prepare(app);
  const server = createServer(app);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endWithTest(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return (lines: readonly string[] = boundLines("POST", "/", body)) => {
    const framing = ["Content-Type: application/json", `Content-Length: ${body.length}`];
    return exchange(port, { method: "POST", lines: [...lines, ...framing], body });
  };
}

const echo: express.RequestHandler = (request, response) => {
  response.json({ agent: request.agent?.agentRuntimeId, input: request.body.input });
};

describe("a body parser of Express", () => {
  const verifier = () => verifierOf(new SceneDirectory(), { policy: "require" });

  test("finds the body that was verified", async () => {
    const send = await setUp((app) => {
      app.use(agentAssertion({ verifier: verifier() }), express.json(), echo);
    });
    expect(JSON.parse((await send()).body)).toEqual({ agent: AGENT_ID, input: "hello" });
  });

  test("that came first stops the check, and says so to the operator alone", async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const send = await setUp((app) => {
      app.use(express.json(), agentAssertion({ verifier: verifier(), onError }), echo);
    });
    const answer = await send();
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "server_error" });
    expect(answer.body).not.toContain("mount");
    const [error] = errors;
    expect(UnreadableBody.is(error) && error).toMatchObject({
      code: "config_invalid",
      hint: expect.stringContaining("mount"),
    });
  });

  test("that came first may keep the bytes for the check", async () => {
    const send = await setUp((app) => {
      const verify = (request: IncomingMessage, _: unknown, bytes: Buffer) =>
        void kept.set(request, bytes);
      const rawBody = (request: IncomingMessage) => kept.get(request);
      app.use(express.json({ verify }), agentAssertion({ verifier: verifier(), rawBody }), echo);
    });
    expect(JSON.parse((await send()).body)).toEqual({ agent: AGENT_ID, input: "hello" });
  });

  test("that came first is no hindrance to a request that is not bound", async () => {
    const unbound = verifierOf(new SceneDirectory());
    const send = await setUp((app) => {
      app.use(express.json(), agentAssertion({ verifier: unbound }), echo);
    });
    expect(JSON.parse((await send()).body)).toEqual({ agent: AGENT_ID, input: "hello" });
  });
});

test("agentOf throws on a route without the middleware", async () => {
  let request: express.Request | undefined;
  const send = await setUp((app) => {
    app.use((incoming, response) => {
      request = incoming;
      response.end();
    });
  });
  await send();
  await expectFailure(() => agentOf(request ?? expect.fail()), "config_invalid");
});
