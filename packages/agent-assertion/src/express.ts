export type {
  AgentAssertionOptions,
  AgentMiddleware,
  AgentRequest,
} from "./server/agent-middleware.js";
export { agentAssertion, agentOf } from "./server/agent-middleware.js";
