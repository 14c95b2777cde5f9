export type { AgentAssertionOptions } from "./server/fastify-plugin.js";
export { agentAssertion, findAgent } from "./server/fastify-plugin.js";
