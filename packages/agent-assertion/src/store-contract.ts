export type {
  AgentDirectoryContractOptions,
  AgentDirectoryPlace,
} from "./store-contract/agent-directory-contract.js";
export { agentDirectoryContract } from "./store-contract/agent-directory-contract.js";
export type { ReplayStoreContractOptions } from "./store-contract/replay-store-contract.js";
export { replayStoreContract } from "./store-contract/replay-store-contract.js";
