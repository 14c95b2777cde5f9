export type { Problem, ProblemExtra } from "./problem/create-problem.js";
export { createProblem, statusOf } from "./problem/create-problem.js";
export type { ProblemFields, ReadProblem } from "./problem/read-problem.js";
export {
  codeOfStatus,
  MAX_PROBLEM_BYTES,
  parseProblem,
  refusalCode,
} from "./problem/read-problem.js";
