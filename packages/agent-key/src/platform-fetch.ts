export { followsEnvProxies } from "./platform-fetch/env-proxies.js";
export { errnoOf } from "./platform-fetch/errno-of.js";
export type { Fetch, FetchInit } from "./platform-fetch/fetch.js";
export { platformFetch } from "./platform-fetch/platform-fetch.js";
export type { BoundedBody } from "./platform-fetch/read-bounded.js";
export { readBounded } from "./platform-fetch/read-bounded.js";
