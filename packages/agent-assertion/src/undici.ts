export type { AssertionOptions } from "./client/assertion-options.js";
export type {
  AssertionInterceptor,
  AssertionInterceptorOptions,
} from "./client/undici/assertion-interceptor.js";
export { assertionInterceptor } from "./client/undici/assertion-interceptor.js";
export { repeatableBody } from "./client/undici/dispatch-body.js";
