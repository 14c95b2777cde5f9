import { connectAgent } from "@countersign/agent";
import { openai } from "@countersign/ai";
import { Agent, OpenAIProvider, Runner, tool } from "@openai/agents";
import OpenAI from "openai";
import * as z from "zod";

const { AUTHORITY = "http://127.0.0.1:4600", BASE_URL = "http://127.0.0.1:4700/v1" } = process.env;
const connected = connectAgent({
  authority: AUTHORITY,
  accessToken: process.env.ACCESS_TOKEN ?? "",
  home: "~/.my-agent",
  origins: [new URL(BASE_URL).origin],
});
const thread = connected.thread("thread-42");

const temperature = tool({
  name: "temperature",
  description: "Says how warm it is in a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `21 °C in ${city}`,
});
const agent = new Agent({ name: "weather", model: "any", tools: [temperature] });

const openAIClient = new OpenAI(openai(thread, { baseURL: BASE_URL }));
const runner = new Runner({
  modelProvider: new OpenAIProvider({ openAIClient, useResponses: false }),
  tracingDisabled: true, // traces would go to OpenAI, with a key of their own
});
const result = await thread.run(() => runner.run(agent, "How warm is it in Paris?"));
console.log(result.finalOutput);
await connected.close();
