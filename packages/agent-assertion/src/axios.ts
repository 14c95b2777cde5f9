export type { AssertionOptions } from "./client/assertion-options.js";
export type { AssertionAdapterOptions } from "./client/axios/assertion-adapter.js";
export { assertionAdapter } from "./client/axios/assertion-adapter.js";
