export type { AgentRequest } from "./server/agent-middleware.js";
export { agentOf } from "./server/agent-middleware.js";
export type {
  AdmitUpgradesOptions,
  UpgradeListener,
  UpgradeServer,
} from "./server/websocket/admit-upgrades.js";
export { admitUpgrades } from "./server/websocket/admit-upgrades.js";
export type { OpenSocket } from "./server/websocket/open-sockets.js";
