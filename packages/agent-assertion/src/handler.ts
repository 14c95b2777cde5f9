export type { AgentRequestHandler, WithAgentOptions } from "./server/with-agent.js";
export { withAgent } from "./server/with-agent.js";
