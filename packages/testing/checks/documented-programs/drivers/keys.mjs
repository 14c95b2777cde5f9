import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
// @boundaries-ignore installed beside the programs
import { AgentKey, AgentPublicKey } from "@countersign/agent-key";
import { createApi } from "../verify/node.js";
import { endServers, listen } from "./listen.mjs";
import { explain, signAndCheck } from "./sign.js";
import { callWithSshAgent, sshAgentSigner } from "./ssh-agent.js";
import { doJob } from "./web-crypto.js";

assert.match(signAndCheck(AgentKey.generate().exportPkcs8()), / true$/);
assert.throws(
  () => AgentPublicKey.parse("no key"),
  (error) => /^invalid_key: /.test(explain(error)),
);

const { AUTHORITY, ACCESS_TOKEN, HOME } = process.env;
const SIGNED = /^agent_\S+ of acct-1 in task_/;
const api = await listen(createApi(AUTHORITY));
assert.match(await doJob(AUTHORITY, ACCESS_TOKEN, api), SIGNED);

const socket = join(HOME, "ssh-agent.sock");
const file = join(HOME, "ssh-key");
const running = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
while (!existsSync(socket)) await setTimeout(10);
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
rmSync(file);
const signer = sshAgentSigner(socket, readFileSync(`${file}.pub`, "utf8").trim());
const settings = { authority: AUTHORITY, accessToken: ACCESS_TOKEN, home: join(HOME, "agent") };
assert.match(await callWithSshAgent(settings, api, signer), SIGNED);
running.kill();
await once(running, "exit");
endServers();
