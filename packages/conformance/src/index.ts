export { ConformanceError } from "./conformance-error.js";
export type {
  ConformanceReport,
  ConformanceResult,
  RunConformanceOptions,
} from "./run-conformance.js";
export { runConformance } from "./run-conformance.js";
export { VECTORS_DIRECTORY } from "./vectors-directory.js";
