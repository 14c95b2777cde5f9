export type { AgentAssertionOptions } from "./server/fastify-plugin.js";
export { agentAssertion } from "./server/fastify-plugin.js";
