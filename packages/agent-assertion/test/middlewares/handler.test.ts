import { Hono } from "hono";
import { expect, test } from "vitest";
import { withAgent } from "../../src/handler.js";
import { type AgentEnv, agentAssertion } from "../../src/hono.js";
import { AGENT_ID, header, NOW } from "../fixtures.js";
import { boundLines, SceneDirectory, verifierOf } from "./scene.js";

const signed = () => new Request("https://api.example/x", { headers: { authorization: header } });

test("a handler gets what its server gives beside the request, and so does clientAddress", async () => {
  const seen: unknown[] = [];
  const handle = withAgent<[{ id: number }, string]>(
    verifierOf(new SceneDirectory()),
    (request, agent, ...rest) => {
      seen.push([request.url, agent.agentRuntimeId, ...rest]);
      return new Response("handled", { status: 201 });
    },
    {
      clientAddress: (request, ...rest) => {
        seen.push([request.url, ...rest]);
        return "192.0.2.1";
      },
    },
  );
  const answer = await handle(signed(), { id: 1 }, "context");
  expect([answer.status, await answer.text()]).toEqual([201, "handled"]);
  expect(seen).toEqual([
    ["https://api.example/x", { id: 1 }, "context"],
    ["https://api.example/x", AGENT_ID, { id: 1 }, "context"],
  ]);
});

test("a refusal has the date of the clock that is given", async () => {
  const verifier = verifierOf(new SceneDirectory());
  const handle = withAgent(verifier, () => expect.unreachable(), { now: () => NOW });
  const answer = await handle(new Request("https://api.example/x"));
  expect(answer.status).toBe(401);
  expect(answer.headers.get("date")).toBe(new Date(NOW).toUTCString());
});

/** A request as the route handlers of Next.js get it. */
function proxied(request: Request): Request {
  return new Proxy(request, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("the body of a bound request is verified and handed on where a server gives a proxy of its request (G-M8)", async () => {
  const verifier = () => verifierOf(new SceneDirectory(), { policy: "require" });
  const body = '{"input":"hello"}';
  const request = () => {
    const fields = boundLines("POST", "/x", Buffer.from(body)).map((line) => line.split(": "));
    const headers = fields as [string, string][];
    return proxied(new Request("https://api.example/x", { method: "POST", headers, body }));
  };
  const handle = withAgent(verifier(), async (handled) => Response.json(await handled.json()));
  expect(await (await handle(request())).json()).toEqual({ input: "hello" });
  const app = new Hono<AgentEnv>();
  app.use(agentAssertion({ verifier: verifier() }));
  app.post("/x", async (c) => c.json(await c.req.json()));
  expect(await (await app.fetch(request())).json()).toEqual({ input: "hello" });
});

test("what the handler throws is the server's to answer", async () => {
  const fault = new Error("of the handler");
  const handle = withAgent(verifierOf(new SceneDirectory()), () => {
    throw fault;
  });
  await expect(handle(signed())).rejects.toBe(fault);
});

test("a request that its client has given up is not asked about", async () => {
  const directory = new SceneDirectory();
  const handle = withAgent(verifierOf(directory), () => expect.unreachable());
  const request = new Request(signed(), { signal: AbortSignal.abort() });
  expect((await handle(request)).status).toBe(503);
});
