import { connectAgent } from "@countersign/agent";
import { openai, refusalOf } from "@countersign/ai";
import OpenAI from "openai";

export async function answerInThreads(options: {
  authority: string;
  accessToken: string;
  home: string;
  baseURL: string;
}) {
  const { baseURL, ...connection } = options;
  const agent = connectAgent({ ...connection, origins: [new URL(baseURL).origin] });
  // One client. Each call is one of the thread in which it is made.
  const client = new OpenAI(openai(agent, { baseURL }));
  const ask = async (content: string) => {
    const messages = [{ role: "user" as const, content }];
    const chat = await client.chat.completions.create({ model: "any", messages });
    return chat.choices[0]?.message.content;
  };
  try {
    return await Promise.all([
      agent.inThread("thread-1", () => ask("hello")),
      agent.inThread("thread-2", () => ask("and hello")),
    ]);
  } catch (error) {
    const refusal = refusalOf(error);
    throw refusal === undefined ? error : new Error(`${refusal.code}: ${refusal.hint}`);
  } finally {
    await agent.close();
  }
}
