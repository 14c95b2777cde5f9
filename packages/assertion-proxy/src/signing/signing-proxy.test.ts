import { CountersignError, type CredentialSource } from "@countersign/agent-key";
import { expect, onTestFinished, test } from "vitest";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import type { SigningListenOptions } from "./signing-listener.js";
import { createSigningProxy, type SigningProxyOptions } from "./signing-proxy.js";

const source = (): CredentialSource => {
  throw new Error("unused");
};

function errorOf(options: Partial<SigningProxyOptions>): unknown {
  try {
    createSigningProxy({ upstream: "https://api.example", source, ...options });
  } catch (error) {
    return error;
  }
  return undefined;
}

const BAD: readonly [string, Partial<SigningProxyOptions>][] = [
  ["a token that can be guessed", { clientToken: "secret" }],
  ["an empty token", { clientToken: "" }],
  ["a token with a space", { clientToken: "secret 0123456789 0123456789" }],
  ["a token with a line break", { clientToken: "secret-0123456789\n" }],
  ["a token that no header holds", { clientToken: `secret${"x".repeat(512)}` }],
  ["no thread header", { threadHeaders: [] }],
  ["a thread header that is no name", { threadHeaders: ["x-thread-id", "x thread"] }],
  ["an empty thread header", { threadHeaders: [""] }],
  ["a thread header that is a credential", { threadHeaders: ["X_Api_Key"] }],
  ["a thread header with a dot", { threadHeaders: ["x.thread.id"] }],
  ["a thread header that says who the agent is", { threadHeaders: ["X-Agent-Task-Id"] }],
  ["a thread header of the connection", { threadHeaders: ["Content_Length"] }],
  ["the field of the client token to forward", { forwardHeaders: ["X-Api-Key"] }],
  ["a thread header to forward", { forwardHeaders: ["X-Thread-Id"] }],
  ["a thread header with dots to forward", { forwardHeaders: ["session.id"] }],
  ["an x-agent field to forward", { forwardHeaders: ["X-Agent-Task-Id"] }],
  ["the signature of a bound request", { binding: true, forwardHeaders: ["Signature"] }],
  ["a thread header that is a key of Azure", { threadHeaders: ["x-thread-id", "api_key"] }],
  ["a thread header of the subprotocols", { threadHeaders: ["Sec-WebSocket-Protocol"] }],
  ["an open proxy under another name", { clientToken: "open", allowedHosts: ["proxy"] }],
  ["no thread", { maxThreads: 0 }],
  ["more threads than one proxy serves", { maxThreads: 100_001 }],
  ["half a thread", { maxThreads: 1.5 }],
  ["no time for a credential", { credentialMs: 0 }],
  ["a time for a credential that no timer keeps", { credentialMs: 2_147_483_648 }],
  ["a negative body to keep", { replayBodyBytes: -1 }],
  ["a body to keep without end", { replayBodyBytes: Number.POSITIVE_INFINITY }],
  ["a negative body to bind", { binding: true, bindingBodyBytes: -1 }],
  ["a limit of nothing", { limits: { admitMs: 0 } }],
];

test.each(BAD)("refuses %s with config_invalid, and shows no token", (_, options) => {
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

const TOKEN = "client-token-0123456789";
const UNLISTENED: readonly [string, Partial<SigningProxyOptions>, SigningListenOptions][] = [
  ["an address without a token", {}, { host: "127.0.0.1", port: 0 }],
  ["every address", { clientToken: TOKEN }, { host: "0.0.0.0", port: 0 }],
  ["every address of IPv6", { clientToken: TOKEN }, { host: "::", port: 0 }],
  ["a name that may be anywhere", { clientToken: TOKEN }, { host: "proxy.example", port: 0 }],
  [
    "an open proxy for the network",
    { clientToken: "open", allowRemote: true },
    { host: "0.0.0.0", port: 0 },
  ],
];

test.each(UNLISTENED)("does not listen on %s (G-P3)", async (_, options, where) => {
  const proxy = createSigningProxy({ upstream: "https://api.example", source, ...options });
  onTestFinished(() => proxy.close());
  const error = await proxy.listen(where).catch((reason: unknown) => reason);
  expect(AssertionProxyError.is(error) && error.code).toBe("config_invalid");
});

test("listens for other machines only where that was allowed by name, and only once", async () => {
  const proxy = createSigningProxy({
    upstream: "https://api.example",
    source,
    clientToken: TOKEN,
    allowRemote: true,
  });
  onTestFinished(() => proxy.close());
  expect(await proxy.listen({ host: "0.0.0.0", port: 0 })).toMatchObject({
    url: expect.stringMatching(/^http:\/\/0\.0\.0\.0:\d+$/),
  });
  const error = await proxy.listen({ host: "127.0.0.1", port: 0 }).catch((e: unknown) => e);
  expect(AssertionProxyError.is(error) && error.code).toBe("config_invalid");
});

test("may listen elsewhere when an address was taken", async () => {
  const make = () =>
    createSigningProxy({ upstream: "https://api.example", source, clientToken: "open" });
  const [first, second] = [make(), make()];
  onTestFinished(async () => {
    await Promise.all([first.close(), second.close()]);
  });
  const { url } = await first.listen({ host: "127.0.0.1", port: 0 });
  const port = Number(new URL(url).port);
  const error = await second.listen({ host: "127.0.0.1", port }).catch((e: unknown) => e);
  expect(AssertionProxyError.is(error) && error.code).toBe("address_in_use");
  expect(await second.listen({ host: "127.0.0.1", port: 0 })).not.toEqual({ url });
});
