import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import Fastify, { type FastifyServerOptions } from "fastify";
import { describe, expect, test } from "vitest";
import { agentAssertion } from "../../src/fastify.js";
import { AgentAssertionError } from "../../src/index.js";
import { failureOf } from "../expect-rejection.js";
import { AGENT_ID, header } from "../fixtures.js";
import { boundLines, endWithTest, SceneDirectory, verifierOf } from "./scene.js";

const body = Buffer.from('{ "input" : "hello" }');
const bound = () => verifierOf(new SceneDirectory(), { policy: "require" });

function fieldsOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

const signed = () => ({
  ...fieldsOf(boundLines("POST", "/x", body)),
  "content-type": "application/json",
});

function appOf(verifier = bound(), options: FastifyServerOptions = {}) {
  const app = Fastify(options);
  endWithTest(() => app.close());
  void app.register(agentAssertion, { verifier });
  // Declared before the plugin is loaded, as most programs do.
  app.post<{ Body: { input: string } }>("/x", async ({ agent, body: { input } }) => ({
    agent: agent.agentRuntimeId,
    input,
  }));
  return app;
}

describe("the plugin", () => {
  test("refuses before anything of the body is parsed (G-M9)", async () => {
    const app = appOf();
    let parsed = 0;
    app.addHook("preParsing", async () => {
      parsed += 1;
    });
    const answer = await app.inject({ method: "POST", url: "/x", payload: "{no json" });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers).toHaveProperty("date");
    expect(answer.json()).toMatchObject({ code: "missing" });
    expect(parsed).toBe(0);
  });

  test("may be registered twice in one scope, each time with a policy", async () => {
    const app = Fastify();
    endWithTest(() => app.close());
    const verifier = verifierOf(new SceneDirectory());
    await app.register(agentAssertion, { verifier, policy: { accounts: ["acct-1"] } });
    await app.register(agentAssertion, { verifier, policy: { capability: "admin" } });
    const answer = await app.inject({ url: "/", headers: { authorization: header } });
    expect(answer.json()).toMatchObject({ code: "forbidden" });
  });

  test("answers for routes that do not exist, too", async () => {
    const answer = await appOf().inject({ url: "/nowhere" });
    expect(answer.json()).toMatchObject({ code: "missing" });
  });

  test("ends the connection where another hook has begun to answer", async () => {
    const app = Fastify();
    endWithTest(() => app.close());
    app.addHook("onRequest", async (_, reply) => {
      reply.header("x-own", "1").raw.write("part");
    });
    await app.register(agentAssertion, { verifier: bound() });
    app.get("/", async () => "hello");
    const response = await fetch(await app.listen({ port: 0, host: "127.0.0.1" }));
    expect(await failureOf(() => response.text())).toBeInstanceOf(TypeError);
  });

  test("calls onResponse hooks for refusals", async () => {
    const app = appOf();
    const heard = Promise.withResolvers<number>();
    app.addHook("onResponse", async (_, reply) => heard.resolve(reply.raw.statusCode));
    await app.inject({ url: "/x" });
    expect(await heard.promise).toBe(401);
  });

  test("throws where the agent of a request is asked for before anybody verified it", async () => {
    const app = Fastify();
    endWithTest(() => app.close());
    app.addHook("onRequest", async (request) => {
      if (request.agent.capabilities.length > 0) return;
    });
    await app.register(agentAssertion, { verifier: bound() });
    app.setErrorHandler((error, _, reply) =>
      reply.send(AgentAssertionError.is(error) ? error.code : "another error"),
    );
    app.get("/", async () => "hello");
    expect((await app.inject({ url: "/" })).body).toBe("config_invalid");
  });

  test("logs what stopped the check if no onError is set", async () => {
    const directory = new SceneDirectory();
    directory.failure = new Error("the directory's words");
    const lines: string[] = [];
    const logger = { stream: { write: (line: string) => void lines.push(line) } };
    const app = appOf(verifierOf(directory), { logger });
    const answer = await app.inject({ url: "/x", headers: { authorization: header } });
    expect(answer.statusCode).toBe(503);
    expect(lines.join("")).toContain("the directory's words");
    expect(lines.join("")).not.toContain(header);
  });
});

describe("a bound request", () => {
  test("is verified when it is injected", async () => {
    const answer = await appOf().inject({
      method: "POST",
      url: "/x",
      headers: signed(),
      payload: body,
    });
    expect(answer.json()).toEqual({ agent: AGENT_ID, input: "hello" });
  });

  test("needs a length where its end cannot be foreseen", async () => {
    const payload = Readable.from([body]);
    const headers = { ...signed(), "transfer-encoding": "chunked" };
    const answer = await appOf().inject({ method: "POST", url: "/x", headers, payload });
    expect(answer.statusCode).toBe(411);
    expect(answer.json()).toMatchObject({ code: "invalid_request", status: 411 });
  });

  test("is verified over HTTP/2 when it says its length (G-M5)", async () => {
    const app = Fastify({ http2: true });
    endWithTest(() => app.close());
    await app.register(agentAssertion, { verifier: bound() });
    app.get("/x", async ({ agent }) => ({ agent: agent.agentRuntimeId }));
    app.post<{ Body: { input: string } }>("/x", async (request) => request.body);
    await app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = app.server.address() as AddressInfo;
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    endWithTest(() => session.destroy());
    const send = async (fields: Record<string, string>, bytes: Buffer) => {
      const stream = session.request({ ":method": "POST", ":path": "/x", ...fields });
      stream.end(bytes);
      const [headers] = await once(stream, "response");
      return { status: headers[":status"], body: await json(stream) };
    };
    const get = session.request({ ":path": "/x", ...fieldsOf(boundLines("GET", "/x")) });
    expect(await json(get)).toEqual({ agent: AGENT_ID });
    // A request that was signed without a body may not be given one.
    const bodiless = fieldsOf(boundLines("POST", "/x"));
    expect(await send(bodiless, body)).toMatchObject({ body: { code: "binding_mismatch" } });
    expect(await send(signed(), body)).toMatchObject({ status: 411 });
    const length = { "content-length": String(body.length) };
    expect(await send({ ...signed(), ...length }, body)).toMatchObject({
      status: 200,
      body: { input: "hello" },
    });
    const other = Buffer.from('{ "input" : "HELLO" }');
    expect(await send({ ...signed(), ...length }, other)).toMatchObject({
      status: 401,
      body: { code: "binding_mismatch" },
    });
  });
});
