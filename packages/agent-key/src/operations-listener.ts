export type {
  Operations,
  OperationsListener,
} from "./operations-listener/listen-for-operations.js";
export { listenForOperations } from "./operations-listener/listen-for-operations.js";
