import {
  chatCompletionsApi,
  headerOf,
  MODEL_ANSWER,
  mcpApi,
  messagesApi,
  type UpstreamHandler,
} from "@countersign/testing";
import { openDirectory, startWireTap } from "@countersign/testing/vitest";
import { Client } from "@modelcontextprotocol/client";
import { McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { Agent } from "@openai/agents";
import { generateText } from "ai";
import { expect, onTestFinished, test } from "vitest";
import { answerInThreads } from "../sdks/one-client.js";
import { createOpenAI } from "../sdks/openai-fetch.js";
import { explain, sdkClients } from "../sdks/sdk-clients.js";
import { startGateway, startWorld } from "./world.js";

const QUESTION = "Say hello.";
const messages = [{ role: "user" as const, content: QUESTION }];
const mcp = mcpApi({ McpServer, WebStandardStreamableHTTPServerTransport });

const api: UpstreamHandler = (request) => {
  if (request.url.startsWith("/mcp")) return mcp(request);
  return request.url === "/v1/messages" ? messagesApi(request) : chatCompletionsApi(request);
};

/** A world with an API behind a gateway, and what arrives at the gateway. */
async function start() {
  const world = await startWorld();
  const gateway = await startGateway(world.authority, api);
  const tap = await startWireTap();
  tap.relayTo(gateway.url);
  return { ...world, tap, upstream: gateway.upstream };
}

async function revokeAgents({ registry }: Awaited<ReturnType<typeof start>>): Promise<void> {
  for (const { agentRuntimeId } of await registry.listAgents()) {
    await registry.revokeAgent(agentRuntimeId);
  }
}

test("one client answers in two threads", async () => {
  const world = await start();
  const { authority, accessToken, tap, upstream } = world;
  const home = `${await openDirectory()}/agent`;
  const options = { authority, accessToken, home, baseURL: `${tap.url}/v1` };
  expect(await answerInThreads(options)).toEqual([MODEL_ANSWER, MODEL_ANSWER]);
  const tasks = upstream.requests.map((request) => headerOf(request, "x-agent-task-id"));
  expect(new Set(tasks).size).toBe(2);
  await revokeAgents(world);
  await expect(answerInThreads(options)).rejects.toThrow(/^agent_revoked: \S/);
});

test("the clients of all SDKs are signed, and send no placeholder", async () => {
  const { thread, tap, upstream } = await start();
  const clients = sdkClients(thread, tap.url);
  const { openai, agents, ai, compatible, langchain, anthropic, mcp } = clients;
  const chat = await openai.chat.completions.create({ model: "any", messages });
  expect(chat.choices[0]?.message.content).toBe(MODEL_ANSWER);
  const run = await agents.run(new Agent({ name: "agent", model: "any" }), QUESTION);
  expect(run.finalOutput).toBe(MODEL_ANSWER);
  for (const model of [ai, compatible]) {
    const { text } = await generateText({ model, prompt: QUESTION });
    expect(text).toBe(MODEL_ANSWER);
  }
  expect((await langchain.invoke(QUESTION)).content).toBe(MODEL_ANSWER);
  const message = await anthropic.messages.create({ model: "any", max_tokens: 10, messages });
  expect(message.content).toMatchObject([{ text: MODEL_ANSWER }]);
  const client = new Client({ name: "client", version: "1" });
  onTestFinished(() => client.close());
  await client.connect(mcp);
  expect(await client.callTool({ name: "hello" })).toMatchObject({
    content: [{ text: MODEL_ANSWER }],
  });
  const assertions = tap.values("authorization");
  expect(assertions.filter((value) => !value.startsWith("AgentAssertion "))).toEqual([]);
  expect(upstream.requests).toHaveLength(assertions.length);
  expect(tap.received()).not.toContain("placeholder");
});

test("an OpenAI client with a signing fetch is signed", async () => {
  const { thread, tap } = await start();
  const openai = createOpenAI(thread, tap.url);
  const chat = await openai.chat.completions.create({ model: "any", messages });
  expect(chat.choices[0]?.message.content).toBe(MODEL_ANSWER);
  expect(tap.values("authorization")).toEqual([expect.stringMatching(/^AgentAssertion /)]);
});

test("a refused agent is distinguished from another failure", async () => {
  const world = await start();
  const { openai, ai } = sdkClients(world.thread, world.tap.url);
  await openai.chat.completions.create({ model: "any", messages });
  await revokeAgents(world);
  const calls = [
    () => openai.chat.completions.create({ model: "any", messages }),
    () => generateText({ model: ai, prompt: QUESTION }),
  ];
  for (const call of calls) {
    const error: unknown = await Promise.resolve(call()).then(
      () => expect.unreachable("a revoked agent was served"),
      (reason: unknown) => reason,
    );
    expect(explain(error)).toMatch(/^agent_revoked: \S/);
  }
  expect(explain(new Error("something else"))).toBe("Error: something else");
});
