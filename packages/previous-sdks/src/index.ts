// The SDKs of the previous majors, under their own names. They have a package of their own because a package gets one version of a peer:
// each major of `@langchain/openai` needs its own major of `@langchain/core`.
export { createOpenAI } from "@ai-sdk/openai";
export { createOpenAICompatible } from "@ai-sdk/openai-compatible";
export { default as Anthropic } from "@anthropic-ai/sdk";
export { ChatOpenAI } from "@langchain/openai";
export { Client } from "@modelcontextprotocol/sdk/client/index.js";
export { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
export { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
export { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
export { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
export { Agent, OpenAIProvider, Runner, setDefaultOpenAIClient } from "@openai/agents";
export { generateText, streamText } from "ai";
export { AzureOpenAI, default as OpenAI } from "openai";
