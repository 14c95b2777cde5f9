export type {
  AgentAssertionOptions,
  AgentState,
  KoaContext,
  KoaMiddleware,
  OptionalAgentState,
} from "./server/koa-middleware.js";
export { agentAssertion, agentOf } from "./server/koa-middleware.js";
