// Uses the system's keyring as a store: `use-keyring.ts load|update|ensure HOME …`; prints what came of it, or the error, as JSON.
import { CountersignError } from "@countersign/agent-key";
import { AgentIdentityManager, fixedAuth } from "../../src/index.js";
import { keyringStore } from "../../src/keyring-store.js";

const [task = "", directory = "", ...rest] = process.argv.slice(2);
// As small as on Windows, so that a store of some length stands in several entries here too.
const store = keyringStore({ directory, maxEntryBytes: 2400 });

async function run(): Promise<unknown> {
  if (task === "update") {
    const [name = "", length = "0"] = rest;
    for (let i = 0; i < 5; i += 1) {
      await store.update((current) => ({
        ...current,
        [`${name}${i}`]: "ü".repeat(Number(length)),
      }));
    }
  }
  if (task === "ensure") {
    const [authority = "", accessToken = ""] = rest;
    const auth = fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken });
    const features = { isEnabled: () => true };
    const manager = new AgentIdentityManager({ authority, auth, store, features });
    return { agent: (await manager.ensure())?.agentRuntimeId };
  }
  return await store.load();
}

process.stdout.write("ready\n");
process.stdin.once("data", async () => {
  process.stdin.destroy();
  try {
    process.stdout.write(`${JSON.stringify(await run())}\n`);
  } catch (error) {
    if (!CountersignError.is(error)) throw error;
    const { code, message, hint } = error;
    process.stdout.write(`${JSON.stringify({ code, message, hint })}\n`);
  }
});
