import assert from "node:assert/strict";
// @boundaries-ignore installed beside the programs
import { createVerifier, memoryDirectory } from "@countersign/agent-assertion";
import { serve } from "./gateway.js";
import { serveWithProbes } from "./operations.js";
import { sign } from "./signing-proxy.js";

const said = [];
console.log = (line) => said.push(line);
/** The URL that a line of a program names. */
const urlOf = (line) => /http:\/\/127\.0\.0\.1:\d+/.exec(line)[0];

const gateway = await serve("token-of-the-gateway", "key-of-the-gateway");
assert.equal((await fetch(`${urlOf(said[0])}/v1/x`)).status, 401);
await gateway.close();

const proxy = await sign(() => assert.fail("asked without the client token"), "c".repeat(43));
assert.equal((await fetch(`${urlOf(said.at(-1))}/v1/x`)).status, 401);
await proxy.close();

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
// It ends by itself, once its program is asked to.
process.kill(process.pid, "SIGTERM");
