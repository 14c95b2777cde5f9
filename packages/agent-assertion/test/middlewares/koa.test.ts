import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import Koa from "koa";
import { describe, expect, test } from "vitest";
import { type AgentState, agentAssertion, agentOf } from "../../src/koa.js";
import { expectFailure } from "../expect-rejection.js";
import { AGENT_ID, header } from "../fixtures.js";
import { exchange } from "./raw-exchange.js";
import { boundLines, SceneDirectory, verifierOf } from "./scene.js";
import { listen } from "./site.js";

const signed = { lines: [`Authorization: ${header}`] };
const unbound = () => verifierOf(new SceneDirectory());

describe("a server that does not call as Koa does", () => {
  const check = agentAssertion({ verifier: unbound() });
  const call = check as (...args: readonly unknown[]) => unknown;
  const request = { rawHeaders: [] as string[] } as IncomingMessage;
  const response = { writeHead() {} } as unknown as ServerResponse;
  const context = { req: request, res: response, originalUrl: "/", state: {} };
  const next = () => expect.unreachable();

  test.each<[string, readonly unknown[]]>([
    ["with nothing", []],
    ["with request, response and next", [request, response, next]],
    ["with a context alone", [context]],
    ["as Koa 1 does", [next]],
    ["with a context without a state", [{ ...context, state: undefined }, next]],
    ["with a context of another framework", [{ ...context, req: { raw: new Headers() } }, next]],
  ])("is stopped by config_invalid at once: %s (G-M14)", async (_, args) => {
    await expectFailure(() => call(...args), "config_invalid");
  });
});

test("ctx.state has the agent, under the names that other middlewares set", async () => {
  const app = new Koa<AgentState & { tenant: string }>();
  app.use((ctx, next) => {
    ctx.state.tenant = "blue";
    return next();
  });
  app.use(agentAssertion({ verifier: unbound() }));
  app.use((ctx) => {
    ctx.body = `${ctx.state.agent.agentRuntimeId} ${ctx.state.tenant}`;
  });
  const port = await listen(createServer(app.callback()));
  expect((await exchange(port, signed)).body).toBe(`${AGENT_ID} blue`);
});

test("agentOf throws on a route without the middleware", async () => {
  await expectFailure(() => agentOf({ state: {} }), "config_invalid");
});

test("a body that was read first may be given, as long as the verifier takes one", async () => {
  const body = Buffer.from('{"input":"hello"}');
  const errors: unknown[] = [];
  const send = async (maxBodyBytes: number) => {
    const verifier = verifierOf(new SceneDirectory(), { policy: "require", maxBodyBytes });
    const app = new Koa<AgentState>();
    const onError = (error: unknown) => errors.push(error);
    app.use(agentAssertion({ verifier, rawBody: () => body, onError }));
    app.use((ctx) => {
      ctx.body = ctx.state.agent.agentRuntimeId;
    });
    const port = await listen(createServer(app.callback()));
    const lines = [...boundLines("POST", "/", body), `Content-Length: ${body.length}`];
    return exchange(port, { method: "POST", lines, body });
  };
  expect((await send(body.length)).body).toBe(AGENT_ID);
  expect((await send(body.length - 1)).status).toBe(413);
  expect(errors).toEqual([]);
});
