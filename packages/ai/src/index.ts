export { refusalOf } from "@countersign/agent-assertion/fetch";
export { mcp } from "./mcp.js";
export type { ModelApi } from "./model-apis.js";
export { aiSdk, anthropic, langchain, openai } from "./model-apis.js";
export type { ModelApiOptions, SignedBy, SigningOptions } from "./signing-options.js";
