export type { AgentAssertionOptions, AgentEnv } from "./server/hono-middleware.js";
export { agentAssertion } from "./server/hono-middleware.js";
