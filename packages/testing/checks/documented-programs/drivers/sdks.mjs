import assert from "node:assert/strict";
import { join } from "node:path";
// @boundaries-ignore installed beside the programs
import { connectAgent } from "@countersign/agent";
// @boundaries-ignore installed beside the programs
import { Agent } from "@openai/agents";
// @boundaries-ignore installed beside the programs
import { generateText } from "ai";
import { answerInThreads } from "./one-client.js";
import { openThread } from "./open-thread.mjs";
import { createOpenAI } from "./openai-fetch.js";
import { explain, sdkClients } from "./sdk-clients.js";

// GATEWAY stands before an API that answers "hello" to every model and every tool.
const { AUTHORITY, ACCESS_TOKEN, GATEWAY, HOME } = process.env;
const connection = { authority: AUTHORITY, accessToken: ACCESS_TOKEN, home: join(HOME, "agent") };
const answers = await answerInThreads({ ...connection, baseURL: `${GATEWAY}/v1` });
assert.deepEqual(answers, ["hello", "hello"]);

const agent = connectAgent({ ...connection, origins: [GATEWAY] });
const thread = agent.thread("thread-42");
const question = { model: "any", messages: [{ role: "user", content: "Say hello." }] };
const parts = openThread();
const chat = await createOpenAI(parts.thread, GATEWAY).chat.completions.create(question);
assert.equal(chat.choices[0].message.content, "hello");
await parts.close();

const clients = sdkClients(thread, GATEWAY);
const { openai, agents, langchain, anthropic, ai, compatible, mcp } = clients;
assert.equal((await openai.chat.completions.create(question)).choices[0].message.content, "hello");
assert.equal((await langchain.invoke("Say hello.")).content, "hello");
const run = await agents.run(new Agent({ name: "agent", model: "any" }), "Say hello.");
assert.equal(run.finalOutput, "hello");
for (const model of [ai, compatible]) {
  assert.equal((await generateText({ model, prompt: "Say hello." })).text, "hello");
}
const message = await anthropic.messages.create({ ...question, max_tokens: 10 });
assert.equal(message.content[0].text, "hello");
await mcp.start();
const answered = new Promise((resolve) => {
  mcp.onmessage = resolve;
});
await mcp.send({ jsonrpc: "2.0", id: 1, method: "ping" });
assert.deepEqual(await answered, { jsonrpc: "2.0", id: 1, result: {} });
await mcp.close();
assert.equal(explain(new Error("something else")), "Error: something else");
await agent.close();
