import { connectAgent } from "@countersign/agent";
import { langchain } from "@countersign/ai";
import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import * as z from "zod";

const { AUTHORITY = "http://127.0.0.1:4600", BASE_URL = "http://127.0.0.1:4700/v1" } = process.env;
const agent = connectAgent({
  authority: AUTHORITY,
  accessToken: process.env.ACCESS_TOKEN ?? "",
  home: "~/.my-agent",
  origins: [new URL(BASE_URL).origin],
});
const thread = agent.thread("thread-42");

const temperature = tool(async ({ city }: { city: string }) => `21 °C in ${city}`, {
  name: "temperature",
  description: "Says how warm it is in a city.",
  schema: z.object({ city: z.string() }),
});
const model = new ChatOpenAI({ model: "any", ...langchain(thread, { baseURL: BASE_URL }) });
const withTools = model.bindTools([temperature]);

async function turn(messages: BaseMessage[]): Promise<string> {
  const answer = await withTools.invoke(messages);
  const calls = answer.tool_calls ?? [];
  if (calls.length === 0) return answer.text;
  const results = await Promise.all(
    calls.map((call) => temperature.invoke({ ...call, type: "tool_call" })),
  );
  return turn([...messages, answer, ...results]);
}

console.log(await thread.run(() => turn([new HumanMessage("How warm is it in Paris?")])));
await agent.close();
