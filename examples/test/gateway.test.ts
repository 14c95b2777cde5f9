import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createVerifier, memoryDirectory, signAssertion } from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import {
  type CallerTokenOptions,
  createAuthorizer,
  createCallerTokens,
  createOperationsListener,
  createProxyMetrics,
} from "@countersign/assertion-proxy";
import { VECTORS_DIRECTORY } from "@countersign/conformance";
import { errors } from "jose";
import { expect, onTestFinished, test, vi } from "vitest";
import { createCallerCheck } from "../gateway/check-caller.js";

const ids = { agentRuntimeId: "agent-1", taskId: "task-1" };

/** Asks an authorizer about a signed request, and returns the token of its answer and the documented check for the API `api`. */
async function ask(options: Partial<CallerTokenOptions> = {}) {
  const key = AgentKey.generate();
  const directory = memoryDirectory({
    authority: "https://authority.example",
    agents: [
      {
        agentRuntimeId: ids.agentRuntimeId,
        accountId: "acct-1",
        userId: "user-1",
        capabilities: [],
        publicKeys: [key.publicKey],
        state: "active",
      },
    ],
    tasks: [{ ...ids, state: "active" }],
  });
  const callerTokens = createCallerTokens({ audience: "api", ...options });
  const authorizer = createAuthorizer({
    verifier: createVerifier({ directory }),
    accounts: "any",
    gateway: "nginx",
    callerTokens,
  });
  const operations = createOperationsListener({
    metrics: createProxyMetrics(),
    isReady: authorizer.isReady,
    callerTokens,
  });
  onTestFinished(async () => {
    await authorizer.close();
    await operations.close();
  });
  const { url } = await authorizer.listen({ host: "127.0.0.1", port: 0 });
  const { url: shown } = await operations.listen({ port: 0 });
  const authorization = signAssertion({ ...ids, key, timestamp: formatTimestamp(Date.now()) });
  const headers = { authorization, "x-original-method": "GET", "x-original-uri": "/v1" };
  const answer = await fetch(url, { headers });
  const token = answer.headers.get("x-agent-caller-token") ?? "";
  return { token, check: createCallerCheck(`${shown}/.well-known/jwks.json`, "api") };
}

test("an API learns the caller from a token of its gateway", async () => {
  const { token, check } = await ask();
  expect(await check(token)).toEqual({ agent: "agent-1", task: "task-1", account: "acct-1" });
});

test.each([
  ["for another API", "ERR_JWT_CLAIM_VALIDATION_FAILED", { audience: "billing" }],
  ["whose time is over", "ERR_JWT_EXPIRED", { now: () => Date.now() - 71_000 }],
])("an API refuses a token %s", async (_, code, options) => {
  const { token, check } = await ask(options);
  await expect(check(token)).rejects.toMatchObject({ code });
});

test("an API refuses a changed token, and one of a key that its gateway does not show", async () => {
  const { token, check } = await ask();
  const [head = "", claims = "", signature = ""] = token.split(".");
  const other = { ...JSON.parse(Buffer.from(claims, "base64url").toString()), sub: "agent-2" };
  const changed = Buffer.from(JSON.stringify(other)).toString("base64url");
  await expect(check(`${head}.${changed}.${signature}`)).rejects.toMatchObject({
    code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
  });
  await expect(check((await ask()).token)).rejects.toMatchObject({
    code: "ERR_JWKS_NO_MATCHING_KEY",
  });
});

test("the documented check of an API takes and refuses what the vectors of caller tokens say", async () => {
  const text = await readFile(new URL("caller-token.json", VECTORS_DIRECTORY), "utf8");
  const { now, audience, key_set, accept, reject } = JSON.parse(text);
  let shown = key_set;
  const server = createServer((_, response) => response.end(JSON.stringify(shown)));
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  // Only the clock: the example has no option for it.
  vi.setSystemTime(now);
  onTestFinished(() => void vi.useRealTimers());
  const keysUrl = `http://127.0.0.1:${port}/`;
  const check = createCallerCheck(keysUrl, audience);
  for (const { token, sub: agent, task_id: task, account_id: account } of accept) {
    expect(await check(token)).toEqual({ agent, task, account });
  }
  for (const { name, token, key_set: other } of reject) {
    shown = other ?? key_set;
    const own = other === undefined ? check : createCallerCheck(keysUrl, audience);
    await expect(own(token), name).rejects.toThrow(errors.JOSEError);
  }
});
