import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as previous from "@countersign/previous-sdks/nestjs";
import {
  type CanActivate,
  createParamDecorator,
  type NestApplicationOptions,
} from "@nestjs/common";
import { describe, expect, test } from "vitest";
import { agentAssertion as onExpress } from "../../src/express.js";
import { agentAssertion as onFastify } from "../../src/fastify.js";
import type { AssertionVerifier, VerifiedAssertion } from "../../src/index.js";
import {
  type AgentGuardOptions,
  agentGuard,
  agentParameter,
  optionalAgentParameter,
} from "../../src/nestjs.js";
import { UnreadableBody } from "../../src/node.js";
import { expectFailure, failureOf } from "../expect-rejection.js";
import { AGENT_ID, header } from "../fixtures.js";
import { decorate, type Nest, nests } from "./nest-sites.js";
import { exchange } from "./raw-exchange.js";
import { boundLines, endWithTest, SceneDirectory, verifierOf } from "./scene.js";
import { listen } from "./site.js";

const signed = { lines: [`Authorization: ${header}`] };
const unbound = () => verifierOf(new SceneDirectory());
const bound = () => verifierOf(new SceneDirectory(), { policy: "require" });
const body = Buffer.from('{ "input" : "hello" }');

/** A bound POST of {@link body}. */
function post(type: string) {
  const framing = [`Content-Type: ${type}`, `Content-Length: ${body.length}`];
  return { method: "POST", lines: [...boundLines("POST", "/", body), ...framing], body };
}

interface Application {
  readonly verifier: AssertionVerifier;
  /** None: without a guard. */
  readonly guard?: AgentGuardOptions | undefined;
  readonly options?: NestApplicationOptions | undefined;
  /** The check below Nest. */
  readonly below?: boolean | undefined;
  /** What Nest's filters and interceptors get to see. */
  readonly onSeen?: (() => void) | undefined;
}

const PLATFORMS = ["Express", "Fastify"] as const;
const apps = Object.entries(nests).flatMap(([name, nest]) =>
  PLATFORMS.map((platform) => ({ name: `${name} on ${platform}`, nest, platform })),
);

/** Starts an application with a handler for GET and one for POST. @returns its port */
async function start(
  nest: Nest,
  platform: (typeof PLATFORMS)[number],
  { verifier, guard, options, below = false, onSeen }: Application,
): Promise<number> {
  const { Body, Catch, Controller, Get, Module, Post, createParamDecorator } = nest.common;
  const Agent = createParamDecorator(agentParameter);
  class Controlled {
    get(agent: VerifiedAssertion) {
      return agent.agentRuntimeId;
    }
    post(agent: VerifiedAssertion, content: { input?: string } | undefined) {
      return { agent: agent.agentRuntimeId, input: content?.input };
    }
  }
  decorate(Controlled, "get", Get());
  decorate(Controlled, "post", Post());
  for (const method of ["get", "post"]) Agent()(Controlled.prototype, method, 0);
  Body()(Controlled.prototype, "post", 1);
  Controller()(Controlled);
  class App {}
  Module({ controllers: [Controlled] })(App);
  const adapter = platform === "Express" ? new nest.ExpressAdapter() : new nest.FastifyAdapter();
  const app = await nest.NestFactory.create(App, adapter, { logger: false, ...options });
  endWithTest(() => app.close());
  if (below) {
    if (adapter instanceof nest.FastifyAdapter)
      await adapter.getInstance().register(onFastify, { verifier });
    else app.use(onExpress({ verifier }));
  }
  if (onSeen !== undefined) {
    class Seeing {
      catch() {
        onSeen?.();
      }
    }
    Catch()(Seeing);
    app.useGlobalFilters(new Seeing());
    app.useGlobalInterceptors({
      intercept(_, next) {
        onSeen();
        return next.handle();
      },
    });
  }
  if (guard !== undefined) app.useGlobalGuards(agentGuard(verifier, guard));
  await app.init();
  if (adapter instanceof nest.FastifyAdapter) await adapter.getInstance().ready();
  return listen(app.getHttpServer());
}

describe.each(apps)("$name", ({ nest, platform }) => {
  const startHere = (application: Application) => start(nest, platform, application);

  test("fails with 500 in a handler that asks for an agent and is not guarded", async () => {
    const port = await startHere({ verifier: unbound() });
    expect((await exchange(port, signed)).status).toBe(500);
  });

  test("finds the agent that was verified below it, and verifies a bound request once", async () => {
    const port = await startHere({ verifier: bound(), guard: {}, below: true });
    const answer = await exchange(port, post("application/json"));
    expect(JSON.parse(answer.body)).toEqual({ agent: AGENT_ID, input: "hello" });
    expect((await exchange(port, {})).status).toBe(401);
    const open = await startHere({ verifier: unbound(), below: true });
    expect((await exchange(open, signed)).body).toBe(AGENT_ID);
  });

  test("verifies a parsed body of an application that keeps its bytes (G-M8)", async () => {
    const options = { rawBody: true };
    const port = await startHere({ verifier: bound(), guard: {}, options });
    const answer = await exchange(port, post("application/json"));
    expect(JSON.parse(answer.body)).toEqual({ agent: AGENT_ID, input: "hello" });
    const other = { ...post("application/json"), body: Buffer.from('{ "input" : "HELLO" }') };
    expect(JSON.parse((await exchange(port, other)).body).code).toBe("binding_mismatch");
  });

  test("refuses a parsed body whose bytes are lost, and says to the operator alone what to do (G-M8)", async () => {
    const errors: unknown[] = [];
    const guard = { onError: (error: unknown) => errors.push(error) };
    const port = await startHere({ verifier: bound(), guard });
    const answer = await exchange(port, post("application/json"));
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([503, "server_error"]);
    expect(errors).toMatchObject([
      { code: "config_invalid", hint: expect.stringContaining("rawBody: true") },
    ]);
    expect(UnreadableBody.is(errors[0])).toBe(true);
  });

  test("answers a refusal past every filter and interceptor (G-M3)", async () => {
    let seen = 0;
    const onSeen = () => {
      seen += 1;
    };
    const port = await startHere({ verifier: unbound(), guard: {}, onSeen });
    expect((await exchange(port, {})).status).toBe(401);
    // One that is answered later: what the first one left to do is done.
    expect((await exchange(port, signed)).body).toBe(AGENT_ID);
    expect(seen).toBe(1);
  });

  test("keeps nothing of a refused request", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const refused: WeakRef<object>[] = [];
    const onRefused = (_: unknown, request: object) => refused.push(new WeakRef(request));
    const port = await startHere({ verifier: unbound(), guard: { onRefused } });
    expect((await exchange(port, { lines: ["Connection: close"] })).status).toBe(401);
    expect(refused).toHaveLength(1);
    const isGone = () => {
      collect();
      return refused[0]?.deref() === undefined;
    };
    await expect.poll(isGone).toBe(true);
  });
});

test.each(Object.entries(nests))(
  "%s takes the guard of a factory as APP_GUARD",
  async (_, nest) => {
    const { Controller, Get, Module } = nest.common;
    class Controlled {
      get() {
        return "guarded";
      }
    }
    decorate(Controlled, "get", Get());
    class App {}
    Controller()(Controlled);
    const useFactory = () => agentGuard(unbound());
    Module({ controllers: [Controlled], providers: [{ provide: nest.APP_GUARD, useFactory }] })(
      App,
    );
    const app = await nest.NestFactory.create(App, new nest.ExpressAdapter(), { logger: false });
    endWithTest(() => app.close());
    await app.init();
    const port = await listen(app.getHttpServer());
    expect((await exchange(port, {})).status).toBe(401);
    expect((await exchange(port, signed)).body).toBe("guarded");
  },
);

test("the types of Nest take the guard and the parameters, of both majors", () => {
  const guards: [CanActivate, previous.common.CanActivate] = [
    agentGuard(unbound()),
    agentGuard(unbound()),
  ];
  expect(guards.map((guard) => typeof guard.canActivate)).toEqual(["function", "function"]);
  for (const parameter of [agentParameter, optionalAgentParameter]) {
    createParamDecorator(parameter);
    previous.common.createParamDecorator(parameter);
  }
});

test("a body that Express leaves unread is read for its digest without rawBody", async () => {
  for (const nest of Object.values(nests)) {
    const port = await start(nest, "Express", { verifier: bound(), guard: {} });
    const answer = await exchange(port, post("application/octet-stream"));
    expect(JSON.parse(answer.body)).toEqual({ agent: AGENT_ID });
  }
});

describe.each(Object.entries(nests))("a handler of %s that is not one of HTTP", (_, nest) => {
  test.each(["rpc", "ws", "graphql"])("never runs behind the guard: %s (G-M14)", async (type) => {
    const { Module } = nest.common;
    class App {}
    Module({})(App);
    const app = await nest.NestFactory.create(App, new nest.ExpressAdapter(), { logger: false });
    endWithTest(() => app.close());
    app.useGlobalGuards(agentGuard(unbound(), { onMissing: "pass" }));
    await app.init();
    class Resolver {
      answer = () => expect.unreachable();
    }
    const resolver = new Resolver();
    const creator = app.get(nest.ExternalContextCreator);
    const rest = [undefined, undefined, undefined, undefined, undefined] as const;
    const call = creator.create(resolver, resolver.answer, "answer", ...rest, type);
    const error = await failureOf(() => call({ headers: {} }, {}));
    expect(error).toMatchObject({ code: "config_invalid", message: expect.stringContaining(type) });
  });
});

describe("what does not call as Nest on Express or Fastify", () => {
  const { canActivate } = agentGuard(unbound(), { onMissing: "pass" });
  const http = (request: unknown, response: unknown) => ({
    getType: () => "http",
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }),
  });
  const incoming = { rawHeaders: [] };
  const raw = { writeHead() {} };

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a request", incoming],
    ["the context of another version", { getType: () => "http" }],
    ["another type", { ...http(incoming, raw), getType: () => undefined }],
    ["a request of Fetch", http(new Request("http://a.example"), new Response())],
    ["a response of Fetch", http(incoming, new Response())],
    ["nothing in the context", http(undefined, undefined)],
    ["a reply that cannot be hijacked", http({ raw: incoming }, { raw })],
  ])("is stopped by config_invalid at once: %s (G-M14)", async (_, context) => {
    for (const ask of [canActivate, (it: never) => agentParameter(undefined, it)]) {
      await expectFailure(() => (ask as (it: unknown) => unknown)(context), "config_invalid");
    }
    const optional = () => optionalAgentParameter(undefined, context as never);
    await expectFailure(optional, "config_invalid");
  });
});
