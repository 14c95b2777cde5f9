export type { AssertedFetch } from "./client/asserted-fetch.js";
export type {
  AssertionOptions,
  Elsewhere,
  OwnAuthorization,
  WarningCode,
} from "./client/assertion-options.js";
export type { AssertedInit } from "./client/outgoing-call.js";
export { refusalOf } from "./client/refusal-of.js";
export { signedFetch } from "./client/signed-fetch.js";
export type { WithAssertionOptions } from "./client/with-assertion.js";
export { withAssertion } from "./client/with-assertion.js";
