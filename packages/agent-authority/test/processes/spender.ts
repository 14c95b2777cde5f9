// A verifier's process that shares a database with others. argv: database URL, count. Spends the nonces 0 … count-1 of one
// agent, and prints those that were its own to spend.
import { databaseReplayStore, openStore } from "../../src/index.js";

const [url = "", count = ""] = process.argv.slice(2);
const store = await openStore(url);
const replayStore = databaseReplayStore(store);
const expiresAt = Date.now() + 3_600_000;
const spent: number[] = [];
for (let index = 0; index < Number(count); index += 1) {
  const nonce = `nonce-of-22-characters-${index}`;
  const entry = { authority: "https://authority.example", agentRuntimeId: "agent_1", nonce };
  if (await replayStore.spend({ ...entry, expiresAt })) spent.push(index);
}
process.stdout.write(JSON.stringify(spent));
await store.close();
