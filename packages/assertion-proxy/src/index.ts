export type { OperationsListener } from "@countersign/agent-key/operations-listener";
export type { Authorizer, AuthorizerOptions } from "./authorize/authorizer.js";
export { createAuthorizer } from "./authorize/authorizer.js";
export type { GatewayKind } from "./authorize/gateway-kind.js";
export type { CallerTokenOptions, CallerTokens } from "./caller-token/caller-tokens.js";
export { createCallerTokens } from "./caller-token/caller-tokens.js";
export type { ProxyMetrics, UseReport } from "./exchange/proxy-metrics.js";
export { createProxyMetrics } from "./exchange/proxy-metrics.js";
export type {
  AuditLines,
  CredentialEnds,
  DirectoryFigures,
  DirectoryState,
} from "./exchange/watched-figures.js";
export type { VerifyingGateway, VerifyingGatewayOptions } from "./gateway/verifying-gateway.js";
export { createVerifyingGateway } from "./gateway/verifying-gateway.js";
export type { ProxyLimitOptions, ProxyLimits } from "./limits/proxy-limits.js";
export { AssertionProxyError } from "./refusal/assertion-proxy-error.js";
export type { Audit, AuditEntry } from "./refusal/audit-entry.js";
export type { CloseOptions } from "./serve/forwarding-proxy.js";
export type { ListenOptions, SocketListenOptions } from "./serve/listen-on.js";
export type { OperationsListenerOptions } from "./serve/operations-listener.js";
export { createOperationsListener } from "./serve/operations-listener.js";
export type { ProxyEnv, ProxyEnvOptions } from "./signing/proxy-env.js";
export { proxyEnv } from "./signing/proxy-env.js";
export type { SigningListenOptions } from "./signing/signing-listener.js";
export type { SigningProxy, SigningProxyOptions } from "./signing/signing-proxy.js";
export { createSigningProxy } from "./signing/signing-proxy.js";
export type { UpstreamTls } from "./upstream/upstream-agent.js";
