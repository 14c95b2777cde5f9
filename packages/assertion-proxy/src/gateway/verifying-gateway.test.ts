import { createVerifier, memoryDirectory } from "@countersign/agent-assertion";
import { CountersignError } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import { createVerifyingGateway, type VerifyingGatewayOptions } from "./verifying-gateway.js";

const verifier = createVerifier({
  directory: memoryDirectory({ authority: "https://authority.example", agents: [], tasks: [] }),
});

function errorOf(options: Partial<VerifyingGatewayOptions>): unknown {
  try {
    createVerifyingGateway({
      verifier,
      upstream: "https://api.example",
      accounts: ["acct-1"],
      ...options,
    });
  } catch (error) {
    return error;
  }
  return undefined;
}

const BAD: readonly [string, Partial<VerifyingGatewayOptions>][] = [
  ["no account", { accounts: [] }],
  ["an account that is not valid", { accounts: ["acct 1"] }],
  ["an empty account", { accounts: [""] }],
  ["a word instead of a list of accounts", { accounts: "all" as unknown as "any" }],
  ["an upstream header with a line break", { upstreamHeaders: { "X-Api-Key": "secret\r\nX: y" } }],
  ["an upstream header without a value", { upstreamHeaders: { Authorization: " " } }],
  ["an upstream header whose name is not valid", { upstreamHeaders: { "X Api Key": "secret" } }],
  ["an upstream header twice", { upstreamHeaders: { "X-Key": "secret", x_key: "secret" } }],
  ["an upstream header that frames", { upstreamHeaders: { "Transfer-Encoding": "secret" } }],
  ["an upstream header of the connection", { upstreamHeaders: { Connection: "secret" } }],
  ["an upstream Host", { upstreamHeaders: { Host: "secret.example" } }],
  ["an x-agent header", { upstreamHeaders: { x_agent_task_id: "secret" } }],
  ["an x-agent header with dots", { upstreamHeaders: { "X.Agent.Task.Id": "secret" } }],
  ["an upstream header twice, with a dot", { upstreamHeaders: { "X-K": "secret", "X.K": "s" } }],
  ["a fixed account header", { upstreamHeaders: { "ChatGPT-Account-ID": "secret" } }],
  ["an x-agent field to forward", { forwardHeaders: ["OpenAI-Project", "X-Agent-Task-Id"] }],
  ["an x-agent field with dots to forward", { forwardHeaders: ["X.Agent.Task.Id"] }],
  ["Authorization to forward", { forwardHeaders: ["authorization"] }],
  ["cookies to forward", { forwardHeaders: ["Cookie"] }],
  ["a field of the connection to forward", { forwardHeaders: ["Keep_Alive"] }],
  ["the framing to forward", { forwardHeaders: ["Content.Length"] }],
  ["a field of the handshake to forward", { forwardHeaders: ["Sec-WebSocket-Accept"] }],
  ["another method to forward", { forwardHeaders: ["X-HTTP-Method-Override"] }],
  ["another proxy to forward", { forwardHeaders: ["Proxy"] }],
  ["a key that only compares equal to forward", { forwardHeaders: ["X.Api.Key"] }],
  ["an account that only compares equal to forward", { forwardHeaders: ["ChatGPT.Account.ID"] }],
  ["what is no field name to forward", { forwardHeaders: ["X Own"] }],
  [
    "the gateway's own field to forward",
    { upstreamHeaders: { "X-Api-Key": "secret" }, forwardHeaders: ["x_api_key"] },
  ],
  ["a recheck that never comes", { recheckMs: Number.POSITIVE_INFINITY }],
  ["a recheck that comes too late", { recheckMs: 30_001 }],
  ["a recheck of no time", { recheckMs: 0 }],
  ["a limit of nothing", { limits: { connectMs: 0 } }],
  ["a limit that is no number", { limits: { idleMs: Number.NaN } }],
  ["a limit beyond Node's timers", { limits: { responseMs: 2 ** 31 } }],
  ["a negative body", { limits: { maxBodyBytes: -1 } }],
];

test.each(BAD)("refuses %s with config_invalid, and shows no value (G-G4)", (_, options) => {
  const error = errorOf(options);
  expect(AssertionProxyError.is(error) && error.code).toBe("config_invalid");
  expect(String(error)).not.toContain("secret");
});

test.each([
  "http://api.example",
  "ftp://api.example",
  "https://user:secret@api.example",
  "https://api.example/?q=1",
  "api.example",
])("refuses the upstream %s with config_invalid", (upstream) => {
  const error = errorOf({ upstream });
  expect(CountersignError.is(error) && error.code).toBe("config_invalid");
  expect(String(error)).not.toContain("secret");
});

test("takes an http upstream on another machine only where it was allowed by name", () => {
  expect(errorOf({ upstream: "http://api.example", insecureHttp: true })).toBeUndefined();
});

test("takes every body size, and no timer for it", () => {
  const limits = { maxBodyBytes: Number.POSITIVE_INFINITY, idleMs: undefined };
  expect(errorOf({ limits })).toBeUndefined();
});
