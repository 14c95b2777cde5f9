import { createOpenAI } from "@ai-sdk/openai";
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
import OpenAI from "openai";

export function sdkClients(thread: SignedBy, api: string) {
  const baseURL = `${api}/v1`;
  return {
    openai: new OpenAI(openai(thread, { baseURL })),
    langchain: new ChatOpenAI({ model: "any", ...langchain(thread, { baseURL }) }),
    anthropic: new Anthropic(anthropic(thread, { baseURL: api })),
    ai: createOpenAI(aiSdk(thread, { baseURL })).chat("any"),
    mcp: new StreamableHTTPClientTransport(new URL(`${api}/mcp`), mcp(thread, `${api}/mcp`)),
  };
}

export function explain(error: unknown): string {
  const refusal = refusalOf(error);
  return refusal === undefined ? String(error) : `${refusal.code}: ${refusal.hint}`;
}
