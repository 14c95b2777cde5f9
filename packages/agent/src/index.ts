export { connectAgent } from "./connect-agent.js";
export type { AccessToken, ConnectAgentOptions } from "./connect-agent-options.js";
export type { ConnectedAgent, ConnectedThread } from "./connected-agent.js";
