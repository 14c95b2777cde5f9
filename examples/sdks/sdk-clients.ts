import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import {
  aiSdk,
  anthropic,
  langchain,
  mcp,
  openai,
  refusalOf,
  type SignedBy,
} from "@countersign/ai";
import { ChatOpenAI } from "@langchain/openai";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { OpenAIProvider, Runner } from "@openai/agents";
import OpenAI from "openai";

export function sdkClients(thread: SignedBy, api: string) {
  const baseURL = `${api}/v1`;
  const client = new OpenAI(openai(thread, { baseURL }));
  return {
    openai: client,
    agents: new Runner({
      modelProvider: new OpenAIProvider({ openAIClient: client, useResponses: false }),
      tracingDisabled: true,
    }),
    langchain: new ChatOpenAI({ model: "any", ...langchain(thread, { baseURL }) }),
    anthropic: new Anthropic(anthropic(thread, { baseURL: api })),
    ai: createOpenAI(aiSdk(thread, { baseURL })).chat("any"),
    compatible: createOpenAICompatible({
      name: "api",
      ...aiSdk(thread, { baseURL }),
    }).chatModel("any"),
    mcp: new StreamableHTTPClientTransport(new URL(`${api}/mcp`), mcp(thread, `${api}/mcp`)),
  };
}

export function explain(error: unknown): string {
  const refusal = refusalOf(error);
  return refusal === undefined ? String(error) : `${refusal.code}: ${refusal.hint}`;
}
