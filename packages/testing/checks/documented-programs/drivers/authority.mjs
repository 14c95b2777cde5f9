import assert from "node:assert/strict";
import { join } from "node:path";
// @boundaries-ignore installed beside the programs
import { openStore } from "@countersign/agent-authority";
import { serveWithFigures } from "./figures.js";
import { issueFor } from "./issue-identity.js";
import { stopUser } from "./operate.js";
import { serve } from "./serve.js";
import { openVerifier } from "./verify.js";
import { createAuthorityForWorkflows } from "./workflows.js";

const database = `sqlite:${join(process.env.HOME, "authority.db")}`;
const { url, token, close } = await serve(database);
const whoami = () => fetch(`${url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });
const { account_id, user_id } = await (await whoami()).json();
assert.deepEqual([account_id, user_id], ["acct-1", "user-1"]);
assert.deepEqual(await stopUser(database, "acct-1", "user-1"), {
  ...{ state: "revoked", liveAgents: 0 },
});
assert.equal((await whoami()).status, 403);
const verifier = await openVerifier(database);
await assert.rejects(verifier.verify("AgentAssertion e30"), { code: "malformed" });
await close();

assert.match(await issueFor(database, "acct-1", "user-2"), /^[\w-]+\.[\w-]+\.[\w-]+$/);
const store = await openStore(database);
await (await createAuthorityForWorkflows(store)).close();
await store.close();
const figures = await serveWithFigures(database, 0);
assert.equal((await fetch(`${figures.url}/readyz`)).status, 200);
await figures.close();
