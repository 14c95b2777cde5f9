import { createVerifier, memoryDirectory } from "@countersign/agent-assertion";
import { CountersignError } from "@countersign/agent-key";
import { expect, test } from "vitest";
import {
  createOperationsListener,
  createProxyMetrics,
  createSigningProxy,
  createVerifyingGateway,
} from "../src/index.js";

const SECRET = "s3cr3t-0123456789";
const authority = "https://authority.example";
const directory = memoryDirectory({ authority, agents: [], tasks: [] });
const verifier = createVerifier({ directory });
const upstream = "https://api.example";
const source = () => ({});

// As JavaScript calls them.
const gateway = (change: object) => () =>
  createVerifyingGateway({ verifier, upstream, accounts: "any", ...change } as never);
const proxy = (change: object) => () =>
  createSigningProxy({ upstream, source, clientToken: SECRET, ...change } as never);
const operations = (options: unknown) => () => createOperationsListener(options as never);

test.each<[option: string, make: () => unknown]>([
  ["options", () => createVerifyingGateway(undefined as never)],
  ["verifier", gateway({ verifier: undefined })],
  ["verifier", gateway({ verifier: directory })],
  ["upstream", gateway({ upstream: undefined })],
  ["upstream", gateway({ upstream: "api.example" })],
  ["accounts", gateway({ accounts: "acct-1" })],
  ["upstreamHeaders", gateway({ upstreamHeaders: `Authorization: ${SECRET}` })],
  ["upstreamTls", gateway({ upstreamTls: SECRET })],
  ["insecureHttp", gateway({ insecureHttp: "false" })],
  ["forwardCookies", gateway({ forwardCookies: "false" })],
  ["forwardHeaders", gateway({ forwardHeaders: "x-api-key" })],
  ["field", gateway({ forwardHeaders: [7] })],
  ["field", gateway({ forwardHeaders: [`x-api-key: ${SECRET}`] })],
  ["trustedProxies", gateway({ trustedProxies: "127.0.0.1" })],
  ["trustedProxies", gateway({ trustedProxies: ["127.0.0.1/33"] })],
  ["trustedProxies", gateway({ trustedProxies: [7] })],
  ["trustedProxies", gateway({ trustedProxies: [SECRET] })],
  ["audit", gateway({ audit: console })],
  ["metrics", gateway({ metrics: true })],
  ["recheckMs", gateway({ recheckMs: "15000" })],
  ["limits", gateway({ limits: 7 })],
  ["maxRequests", gateway({ limits: { maxRequests: "7" } })],
  ["maxRequestsPerAgent", gateway({ limits: { maxRequestsPerAgent: 0 } })],
  ["maxConnectionsPerAddress", gateway({ limits: { maxConnectionsPerAddress: 1.5 } })],
  ["now", gateway({ now: 0 })],
  ["options", () => createSigningProxy(upstream as never)],
  ["upstream", proxy({ upstream: undefined })],
  ["source", proxy({ source: undefined })],
  ["source", proxy({ source: source() })],
  ["clientToken", proxy({ clientToken: 1234567890123456 })],
  ["clientToken", proxy({ clientToken: "" })],
  ["threadHeaders", proxy({ threadHeaders: "x-thread-id" })],
  ["threadHeaders", proxy({ threadHeaders: [] })],
  ["thread header", proxy({ threadHeaders: [7] })],
  ["x\\.thread", proxy({ threadHeaders: ["x.thread"] })],
  ["api-key", proxy({ threadHeaders: ["x-thread-id", "api-key"] })],
  ["clientToken", proxy({ clientToken: "too short" })],
  ["forwardHeaders", proxy({ forwardHeaders: "x-api-key" })],
  ["maxThreads", proxy({ maxThreads: "7" })],
  ["allowRemote", proxy({ allowRemote: "false" })],
  ["allowedHosts", proxy({ allowedHosts: "proxy" })],
  ["allowedHosts", proxy({ allowedHosts: ["proxy", 7] })],
  ["allowedHosts", proxy({ allowedHosts: ["http://proxy:4701"] })],
  ["binding", proxy({ binding: "require" })],
  ["forwardCookies", proxy({ forwardCookies: 1 })],
  ["signer", proxy({ signer: {} })],
  ["options", operations(undefined)],
  ["metrics", operations({ isReady: () => true })],
  ["isReady", operations({ metrics: createProxyMetrics(), isReady: true })],
])(
  "a wrong %s is config_invalid at construction, and no value is shown (%#) (G-M1)",
  (option, run) => {
    let thrown: unknown;
    try {
      run();
    } catch (error) {
      thrown = error;
    }
    if (!CountersignError.is(thrown)) throw thrown ?? new Error("nothing was thrown");
    expect(["AssertionProxyError", "AgentKeyError"]).toContain(thrown.name);
    expect(thrown.code).toBe("config_invalid");
    expect(thrown.message).toMatch(new RegExp(`\\b${option}\\b`));
    expect(`${thrown.message} ${thrown.hint}`).not.toContain(SECRET);
  },
);
