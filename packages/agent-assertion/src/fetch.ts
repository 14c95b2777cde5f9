export type {
  AssertionOptions,
  Elsewhere,
  OwnAuthorization,
  WarningCode,
} from "./client/assertion-options.js";
export type { AssertedInit } from "./client/outgoing-call.js";
export { refusalOf } from "./client/refusal-of.js";
export type { AssertedFetch, WithAssertionOptions } from "./client/with-assertion.js";
export { withAssertion } from "./client/with-assertion.js";
