export type {
  OptionalTaskStoreMember,
  TaskStoreContractOptions,
} from "./store-contract/task-store-contract.js";
export { taskStoreContract } from "./store-contract/task-store-contract.js";
