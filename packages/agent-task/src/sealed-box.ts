export { openSealedBox } from "./open-sealed-box.js";
export type { RegisteredTask } from "./schema/task-answer.js";
export { parseTaskRegistrationResponse } from "./schema/task-registration.js";
