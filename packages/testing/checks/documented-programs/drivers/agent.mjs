import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
// @boundaries-ignore installed beside the programs
import { createVerifier } from "@countersign/agent-assertion";
// @boundaries-ignore installed beside the programs
import { requireAgent } from "@countersign/agent-assertion/node";
// @boundaries-ignore installed beside the programs
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
// @boundaries-ignore installed beside the programs
import { fileStore, saveLogin } from "@countersign/agent-identity";
import { openParts } from "./parts.js";
import { takeTurns } from "./turns.js";

const { AUTHORITY, ACCESS_TOKEN, HOME } = process.env;
const verifier = createVerifier({ directory: remoteDirectory(AUTHORITY) });
const server = createServer(
  requireAgent(verifier, (_request, response, { agentRuntimeId, taskId }) =>
    response.end(`${agentRuntimeId} in ${taskId}`),
  ),
);
server.listen(0, "127.0.0.1");
await once(server, "listening");
const api = `http://127.0.0.1:${server.address().port}`;

const home = join(HOME, "agent");
const [first, second] = await takeTurns(AUTHORITY, ACCESS_TOKEN, api, home);
assert.match(first, /^agent_\S+ in task_/);
assert.equal(second, first);

await saveLogin(fileStore(home), {
  ...{ authority: AUTHORITY, account_id: "acct-1", user_id: "user-1" },
  ...{ kind: "human", proof: "bearer", access_token: ACCESS_TOKEN },
  logged_in_at: new Date().toISOString().replace(/\.\d+/, ""),
});
const parts = openParts(AUTHORITY, api, home);
assert.match(await (await parts.fetch(api)).text(), /^agent_\S+ in task_/);
await parts.tasks.close();
await parts.identities.close();
server.close();
server.closeAllConnections();
