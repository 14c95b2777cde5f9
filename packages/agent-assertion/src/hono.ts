export type {
  AgentAssertionOptions,
  AgentEnv,
  OptionalAgentEnv,
} from "./server/hono-middleware.js";
export { agentAssertion } from "./server/hono-middleware.js";
