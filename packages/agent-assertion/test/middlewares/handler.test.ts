import { expect, test } from "vitest";
import { withAgent } from "../../src/handler.js";
import { AGENT_ID, header, NOW } from "../fixtures.js";
import { SceneDirectory, verifierOf } from "./scene.js";

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
