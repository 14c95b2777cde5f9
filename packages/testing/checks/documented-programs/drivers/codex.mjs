import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { openCodexIdentities } from "./codex-home.js";

const { AUTHORITY, ACCESS_TOKEN, HOME } = process.env;

const codexHome = join(HOME, "codex");
const exported = ["codex", "export", "--codex-home", codexHome, "--token-stdin"];
const human = ["--account", "acct-1", "--user", "user-1", "--authority", AUTHORITY];
const gateway = ["--gateway", "http://127.0.0.1:4700/v1"];
execFileSync("countersign", [...exported, ...human, ...gateway], { input: ACCESS_TOKEN });
const ofCodex = openCodexIdentities(AUTHORITY, codexHome, join(HOME, "beside-codex"));
assert.match((await ofCodex.ensure()).agentRuntimeId, /^agent_/);
await ofCodex.close();
