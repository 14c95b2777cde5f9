export { AgentTaskError } from "./agent-task-error.js";
export { parseIdempotencyKey } from "./idempotency-key.js";
export type { RegisteredTask } from "./schema/task-answer.js";
export { taskRegistrationResponseSchema } from "./schema/task-answer.js";
export {
  parseTaskRegistrationRequest,
  taskRegistrationRequestSchema,
} from "./schema/task-registration-request.js";
export type {
  PlainTaskRegistrationResponse,
  TaskRegistrationResponse,
} from "./server/create-task-registration-response.js";
export {
  createPlainTaskRegistrationResponse,
  createTaskRegistrationResponse,
} from "./server/create-task-registration-response.js";
export { sealTaskId } from "./server/seal-task-id.js";
export type {
  VerifiedTaskRegistration,
  VerifyTaskRegistrationOptions,
} from "./server/verify-task-registration.js";
export { verifyTaskRegistration } from "./server/verify-task-registration.js";
export { toX25519PublicKey } from "./server/x25519-public-key.js";
export type { PlainTaskRegistration } from "./sign/sign-plain-task-registration.js";
export { plainTaskRegistrationText } from "./sign/sign-plain-task-registration.js";
export type { TaskRegistration } from "./sign/sign-task-registration.js";
export { taskRegistrationText } from "./sign/sign-task-registration.js";
