import { REVOCATION_DELAY_SECONDS } from "@countersign/agent-assertion";
import { LONGEST_TIMER_MS, numberIn, type OptionShape, optionChecks } from "@countersign/agent-key";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

/** The checks of this package's options. They throw an `AssertionProxyError` with `config_invalid`. */
export const { checkOption, checkOptions } = optionChecks(AssertionProxyError);

const FLAG: OptionShape = { type: "boolean", expected: "true or false", optional: true };

const FUNCTION: OptionShape = { type: "function", expected: "a function", optional: true };

/** The figures of a proxy. */
export const METRICS: OptionShape = {
  type: "object",
  members: { observer: "object", render: "function" },
  expected: "a ProxyMetrics, for instance createProxyMetrics()",
};

const COMMON = {
  upstream: {
    type: "text",
    expected: 'the base URL of the API, for instance "https://api.example"',
  },
  upstreamTls: { type: "object", expected: "an object", optional: true },
  insecureHttp: FLAG,
  forwardCookies: FLAG,
  forwardHeaders: { type: "list", expected: "a list of header names", optional: true },
  audit: { ...FUNCTION, expected: "a function that takes an AuditEntry" },
  canAudit: { ...FUNCTION, expected: "a function that returns whether entries can be kept" },
  metrics: { ...METRICS, optional: true },
  limits: { type: "object", expected: "an object with limits", optional: true },
  now: {
    ...FUNCTION,
    expected: "a function that returns epoch milliseconds, for instance Date.now",
  },
} satisfies Readonly<Record<string, OptionShape>>;

const VERIFIER: OptionShape = {
  type: "object",
  members: { verify: "function", recheck: "function" },
  expected: "an AssertionVerifier, for instance createVerifier({ directory })",
};

const TRUSTED_PROXIES: OptionShape = {
  type: "list",
  expected: "a list of IP addresses and networks",
  optional: true,
};

/** What signs who the caller is. */
export const CALLER_TOKENS: OptionShape = {
  type: "object",
  members: { sign: "function", jwks: "function" },
  expected: 'a CallerTokens, for instance createCallerTokens({ audience: "api" })',
  optional: true,
};

/** What the options of `createVerifyingGateway` must be. Accounts and limits are checked after it. */
export const GATEWAY_OPTIONS: Readonly<Record<string, OptionShape>> = {
  verifier: VERIFIER,
  trustedProxies: TRUSTED_PROXIES,
  callerTokens: CALLER_TOKENS,
  upstreamHeaders: { type: "object", expected: "an object of names and values", optional: true },
  recheckMs: numberIn(1, REVOCATION_DELAY_SECONDS.most * 1000),
  ...COMMON,
};

/** What the options of `createCallerTokens` must be. The forms of names and keys are checked after it. */
export const CALLER_TOKEN_OPTIONS = {
  audience: { type: "text", expected: "the name of the upstream" },
  issuer: { type: "text", expected: "the name of the gateway", optional: true },
  keys: { type: "text", expected: "keys in PEM", optional: true },
  now: COMMON.now,
} satisfies Readonly<Record<string, OptionShape>>;

/** What the options of `createAuthorizer` must be. Kind of gateway, token, accounts and limits are checked after it. */
export const AUTHORIZER_OPTIONS: Readonly<Record<string, OptionShape>> = {
  verifier: VERIFIER,
  gateway: { type: "text", expected: "the kind of the gateway that asks" },
  handsOverBodies: FLAG,
  callerTokens: CALLER_TOKENS,
  gatewayToken: { type: "text", expected: "a text", optional: true },
  trustedProxies: TRUSTED_PROXIES,
  audit: COMMON.audit,
  canAudit: COMMON.canAudit,
  metrics: COMMON.metrics,
  limits: COMMON.limits,
  now: COMMON.now,
};

/** What the options of `createSigningProxy` must be. Limits are checked after it. */
export const SIGNING_PROXY_OPTIONS: Readonly<Record<string, OptionShape>> = {
  source: {
    type: "function",
    expected:
      "a function, for instance (id) => (id === undefined ? tasks.run() : tasks.thread(id))",
  },
  clientToken: {
    type: "text",
    expected: 'a text of 16 to 512 visible ASCII characters, or "open"',
    optional: true,
  },
  credentialMs: numberIn(1, LONGEST_TIMER_MS),
  replayBodyBytes: numberIn(0, Number.MAX_SAFE_INTEGER),
  bindingBodyBytes: numberIn(0, Number.MAX_SAFE_INTEGER),
  threadHeaders: { type: "list", expected: "a list of header names", optional: true },
  allowRemote: FLAG,
  allowedHosts: { type: "list", expected: "a list of HOST or HOST:PORT", optional: true },
  binding: FLAG,
  signer: {
    type: "object",
    members: { header: "function" },
    expected: "an AssertionSigner",
    optional: true,
  },
  ...COMMON,
};
