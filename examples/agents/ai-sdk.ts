import { createOpenAI } from "@ai-sdk/openai";
import { connectAgent } from "@countersign/agent";
import { aiSdk } from "@countersign/ai";
import { generateText, isStepCount, tool } from "ai";
import * as z from "zod";

const { AUTHORITY = "http://127.0.0.1:4600", BASE_URL = "http://127.0.0.1:4700/v1" } = process.env;
const agent = connectAgent({
  authority: AUTHORITY,
  accessToken: process.env.ACCESS_TOKEN ?? "",
  home: "~/.my-agent",
  origins: [new URL(BASE_URL).origin],
});
const thread = agent.thread("thread-42");

const temperature = tool({
  description: "Says how warm it is in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `21 °C in ${city}`,
});

const { text } = await thread.run(() =>
  generateText({
    model: createOpenAI(aiSdk(thread, { baseURL: BASE_URL })).chat("any"),
    tools: { temperature },
    stopWhen: isStepCount(5),
    prompt: "How warm is it in Paris?",
  }),
);
console.log(text);
await agent.close();
