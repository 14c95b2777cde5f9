import assert from "node:assert/strict";
// @boundaries-ignore installed beside the programs
import { createVerifier, memoryDirectory, signAssertion } from "@countersign/agent-assertion";
// @boundaries-ignore installed beside the programs
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
// @boundaries-ignore installed beside the programs
import * as proxies from "@countersign/assertion-proxy";
import { createCallerCheck } from "./check-caller.js";
import { serve } from "./gateway.js";
import { serveWithProbes } from "./operations.js";

const said = [];
console.log = (line) => said.push(line);
/** The URL that a line of a program names. */
const urlOf = (line) => /http:\/\/127\.0\.0\.1:\d+/.exec(line)[0];

const gateway = await serve("token-of-the-gateway", "key-of-the-gateway");
assert.equal((await fetch(`${urlOf(said[0])}/v1/x`)).status, 401);
await gateway.close();

const directory = memoryDirectory({
  authority: "https://authority.example",
  agents: [],
  tasks: [],
});
await serveWithProbes({
  verifier: createVerifier({ directory }),
  upstream: "http://127.0.0.1:9",
  accounts: ["acct-1"],
});
assert.equal((await fetch(`${urlOf(said.at(-1))}/readyz`)).status, 200);

const key = AgentKey.generate();
const ids = { agentRuntimeId: "agent-1", taskId: "task-1" };
const known = memoryDirectory({
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
const callerTokens = proxies.createCallerTokens({ audience: "api" });
const authorizer = proxies.createAuthorizer({
  verifier: createVerifier({ directory: known }),
  accounts: "any",
  gateway: "nginx",
  callerTokens,
});
const operations = proxies.createOperationsListener({
  metrics: proxies.createProxyMetrics(),
  isReady: authorizer.isReady,
  callerTokens,
});
const { url } = await authorizer.listen({ host: "127.0.0.1", port: 0 });
const { url: shown } = await operations.listen({ port: 0 });
const answer = await fetch(url, {
  headers: {
    "x-original-method": "GET",
    "x-original-uri": "/v1/models",
    authorization: signAssertion({ ...ids, key, timestamp: formatTimestamp(Date.now()) }),
  },
});
const token = answer.headers.get("x-agent-caller-token");
const check = createCallerCheck(`${shown}/.well-known/jwks.json`, "api");
assert.deepEqual(await check(token), { agent: "agent-1", task: "task-1", account: "acct-1" });
await assert.rejects(createCallerCheck(`${shown}/.well-known/jwks.json`, "other")(token));
await authorizer.close();
await operations.close();
// It ends by itself, once its program is asked to.
process.kill(process.pid, "SIGTERM");
