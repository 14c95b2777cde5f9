import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { refusalOf, withAssertion } from "@countersign/agent-assertion/fetch";
import type { AgentThread } from "@countersign/agent-task";
import { ChatOpenAI } from "@langchain/openai";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import OpenAI from "openai";

export function sdkClients(thread: AgentThread, api: string) {
  const apiKey = "placeholder";
  const baseURL = `${api}/v1`;

  // A refused agent is an answer with status 403 to these: an error of `fetch` would be a failed connection.
  const answered = withAssertion(fetch, thread, { origins: [api], refusals: "respond" });
  const openai = new OpenAI({ apiKey, baseURL, fetch: answered });
  const langchain = new ChatOpenAI({
    model: "any",
    apiKey,
    configuration: { baseURL, fetch: answered },
  });
  const anthropic = new Anthropic({ apiKey, baseURL: api, fetch: answered });

  // These hand the error of `fetch` up.
  const signed = withAssertion(fetch, thread, { origins: [api] });
  const ai = createOpenAI({ apiKey, baseURL, fetch: signed }).chat("any");
  const mcp = new StreamableHTTPClientTransport(new URL(`${api}/mcp`), { fetch: signed });

  return { openai, langchain, anthropic, ai, mcp };
}

export function explain(error: unknown): string {
  const refusal = refusalOf(error);
  return refusal === undefined ? String(error) : `${refusal.code}: ${refusal.hint}`;
}
