// Runs agents of the Claude Agent SDK with the environment of `proxyEnv`, one for each prompt. Arguments: the settings, the SDK's module, its
// program, and the prompts. Prints each piece of an answer as JSON, and what the agent ended with.
import { threadProxyEnv } from "./thread-proxy.ts";

interface AgentMessage {
  readonly type: string;
  readonly subtype?: string;
  readonly result?: string;
  readonly event?: { readonly delta?: { readonly text?: string } };
}

interface ClaudeAgentSdk {
  query(agent: { readonly prompt: string; readonly options: object }): AsyncIterable<AgentMessage>;
}

const [, , settings = "", sdk = "", program, ...prompts] = process.argv;
const env = await threadProxyEnv(settings);
const { query }: ClaudeAgentSdk = await import(sdk);
const options = { env, pathToClaudeCodeExecutable: program, includePartialMessages: true };
for (const prompt of prompts) {
  for await (const { type, subtype, result, event } of query({ prompt, options })) {
    const piece = event?.delta?.text;
    if (piece !== undefined) console.log(JSON.stringify(piece));
    if (type === "result") console.log(`${subtype}: ${result}`);
  }
}
