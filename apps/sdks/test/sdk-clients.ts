import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import * as previous from "@countersign/previous-sdks";
import { ChatOpenAI } from "@langchain/openai";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
import { Agent, OpenAIProvider, Runner, setDefaultOpenAIClient } from "@openai/agents";
import { generateText, streamText } from "ai";
import OpenAI, { AzureOpenAI } from "openai";
import { agentsClients } from "./clients/agents.js";
import { aiClients, mastraModels } from "./clients/ai.js";
import { anthropicClients } from "./clients/anthropic.js";
import { langChainClients } from "./clients/langchain.js";
import { mcpClients } from "./clients/mcp.js";
import { openAiClients } from "./clients/openai.js";
import type { SdkClient } from "./sdk-client.js";

const currentMcp = {
  Client,
  StreamableHTTPClientTransport,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
};

const currentAi = { createOpenAI, createOpenAICompatible, generateText, streamText };
const currentAgents = { Agent, OpenAI, OpenAIProvider, Runner, setDefaultOpenAIClient };

/** Every client of every SDK: of the current major, and of the one before. */
export const SDK_CLIENTS: readonly SdkClient[] = [
  ...openAiClients("7", { OpenAI, AzureOpenAI }),
  ...openAiClients("6", previous),
  ...agentsClients("0.20", currentAgents),
  ...agentsClients("0.14", previous),
  ...aiClients("7", currentAi),
  ...aiClients("6", previous),
  ...mastraModels("7", currentAi),
  ...mastraModels("6", previous),
  ...langChainClients("1", { ChatOpenAI }),
  ...langChainClients("0", previous),
  ...anthropicClients("1", { Anthropic }),
  ...anthropicClients("0", previous),
  ...mcpClients("@modelcontextprotocol/client 2", "SdkHttpError", currentMcp),
  ...mcpClients("@modelcontextprotocol/sdk 1", "StreamableHTTPError", previous),
];
