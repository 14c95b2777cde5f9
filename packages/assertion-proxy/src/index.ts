export { AssertionProxyError } from "./assertion-proxy-error.js";
export type { Audit, AuditEntry } from "./audit-entry.js";
export type { CloseOptions, ListenOptions } from "./forwarding-proxy.js";
export type { ProxyLimitOptions, ProxyLimits } from "./proxy-limits.js";
export type { UpstreamTls } from "./upstream-agent.js";
export type { VerifyingGateway, VerifyingGatewayOptions } from "./verifying-gateway.js";
export { createVerifyingGateway } from "./verifying-gateway.js";
