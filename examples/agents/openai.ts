import { connectAgent } from "@countersign/agent";
import { openai } from "@countersign/ai";
import OpenAI from "openai";

const { AUTHORITY = "http://127.0.0.1:4600", BASE_URL = "http://127.0.0.1:4700/v1" } = process.env;
const agent = connectAgent({
  authority: AUTHORITY,
  accessToken: process.env.ACCESS_TOKEN ?? "",
  home: "~/.my-agent",
  origins: [new URL(BASE_URL).origin],
});
const thread = agent.thread("thread-42");
const client = new OpenAI(openai(thread, { baseURL: BASE_URL }));

const tools: OpenAI.ChatCompletionTool[] = [
  {
    type: "function",
    function: {
      name: "temperature",
      description: "Says how warm it is in a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];
const messages: OpenAI.ChatCompletionMessageParam[] = [
  { role: "user", content: "How warm is it in Paris?" },
];

async function turn(): Promise<string> {
  for (;;) {
    const chat = await client.chat.completions.create({ model: "any", messages, tools });
    const message = chat.choices[0]?.message;
    if (message?.tool_calls === undefined) return message?.content ?? "";
    messages.push(message);
    for (const call of message.tool_calls) {
      if (call.type !== "function") continue;
      const { city } = JSON.parse(call.function.arguments);
      messages.push({ role: "tool", tool_call_id: call.id, content: `21 °C in ${city}` });
    }
  }
}

// Every request of the turn is signed with the task of this thread.
console.log(await thread.run(turn));
await agent.close();
