export type { NestExecutionContext, NestRequest } from "./server/nest-exchange.js";
export type { AgentGuard, AgentGuardOptions } from "./server/nest-guard.js";
export { agentGuard, agentParameter, optionalAgentParameter } from "./server/nest-guard.js";
