export type { WithAssertionOptions } from "./client/with-assertion.js";
export { withAssertion } from "./client/with-assertion.js";
