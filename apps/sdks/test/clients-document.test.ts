import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { headerOf, temporaryDirectory, type UpstreamHandler } from "@countersign/testing";
import { Client } from "@modelcontextprotocol/client";
import { McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { generateText } from "ai";
import { expect, onTestFinished, test } from "vitest";
import { answerInThreads } from "./examples/one-client.js";
import { createOpenAI } from "./examples/openai-fetch.js";
import { explain, sdkClients } from "./examples/sdk-clients.js";
import { mcpApi } from "./mcp-api.js";
import { chatCompletionsApi, messagesApi } from "./model-api.js";
import { ANSWER } from "./sdk-client.js";
import { startWorld } from "./world.js";

const QUESTION = "Say hello.";
const messages = [{ role: "user" as const, content: QUESTION }];
const mcp = mcpApi({ McpServer, WebStandardStreamableHTTPServerTransport });

const api: UpstreamHandler = (request) => {
  if (request.url.startsWith("/mcp")) return mcp(request);
  return request.url === "/v1/messages" ? messagesApi(request) : chatCompletionsApi(request);
};

test.each([
  ["docs/clients.md", "sdk-clients.ts"],
  ["packages/ai/README.md", "one-client.ts"],
  ["docs/signing.md", "openai-fetch.ts"],
])("%s shows the example %s, which these tests run", async (document, example) => {
  const text = await readFile(join(import.meta.dirname, "examples", example), "utf8");
  const shown = await readFile(join(import.meta.dirname, "../../..", document), "utf8");
  expect(shown).toContain(`\`\`\`ts\n${text}\`\`\`\n`);
});

test("the one client of the README of @countersign/ai answers in two threads", async () => {
  const { authority, registry, tap, upstream } = await startWorld({ api });
  const { token: accessToken } = await registry.createAccessToken({
    ...{ accountId: "acct-1", userId: "user-2", role: "human", ttlSeconds: 3600 },
  });
  const home = await temporaryDirectory();
  onTestFinished(home.remove);
  const baseURL = `${tap.url}/v1`;
  const options = { authority, accessToken, home: `${home.path}/agent`, baseURL };
  expect(await answerInThreads(options)).toEqual([ANSWER, ANSWER]);
  const tasks = upstream.requests.map((request) => headerOf(request, "x-agent-task-id"));
  expect(new Set(tasks).size).toBe(2);
  for (const { agentRuntimeId } of await registry.listAgents()) {
    await registry.revokeAgent(agentRuntimeId);
  }
  await expect(answerInThreads(options)).rejects.toThrow(/^agent_revoked: \S/);
});

test("the clients of docs/clients.md are signed, and send no placeholder", async () => {
  const { thread, tap, upstream } = await startWorld({ api });
  const { openai, ai, langchain, anthropic, mcp } = sdkClients(thread, tap.url);
  const chat = await openai.chat.completions.create({ model: "any", messages });
  expect(chat.choices[0]?.message.content).toBe(ANSWER);
  expect(await generateText({ model: ai, prompt: QUESTION })).toMatchObject({ text: ANSWER });
  expect((await langchain.invoke(QUESTION)).content).toBe(ANSWER);
  const message = await anthropic.messages.create({ model: "any", max_tokens: 10, messages });
  expect(message.content).toMatchObject([{ text: ANSWER }]);
  const client = new Client({ name: "client", version: "1" });
  onTestFinished(() => client.close());
  await client.connect(mcp);
  expect(await client.callTool({ name: "hello" })).toMatchObject({ content: [{ text: ANSWER }] });
  const assertions = tap.values("authorization");
  expect(assertions.filter((value) => !value.startsWith("AgentAssertion "))).toEqual([]);
  expect(upstream.requests).toHaveLength(assertions.length);
  expect(tap.received()).not.toContain("placeholder");
});

test("the OpenAI client of docs/signing.md is signed", async () => {
  const { thread, tap } = await startWorld({ api });
  const openai = createOpenAI(thread, tap.url);
  const chat = await openai.chat.completions.create({ model: "any", messages });
  expect(chat.choices[0]?.message.content).toBe(ANSWER);
  expect(tap.values("authorization")).toEqual([expect.stringMatching(/^AgentAssertion /)]);
});

test("the example of docs/clients.md distinguishes a refused agent from another failure", async () => {
  const { thread, tap, registry } = await startWorld({ api });
  const { openai, ai } = sdkClients(thread, tap.url);
  await openai.chat.completions.create({ model: "any", messages });
  for (const { agentRuntimeId } of await registry.listAgents()) {
    await registry.revokeAgent(agentRuntimeId);
  }
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
