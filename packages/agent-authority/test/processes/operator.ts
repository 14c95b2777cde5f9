// A process of its own on a database: what an operator's command does. argv: database URL, command, its argument.
import { createRegistry, openStore } from "../../src/index.js";

const [url = "", command = "", argument = ""] = process.argv.slice(2);
const store = await openStore(url);
const registry = createRegistry(store);

async function createTokens(count: number): Promise<number> {
  for (let i = 0; i < count; i += 1) {
    await registry.createAccessToken({
      accountId: "acct-1",
      userId: `user-${process.pid}`,
      role: "human",
      ttlSeconds: 60,
    });
  }
  return count;
}

/** As often as it takes to meet another process that does the same. */
async function revokeAll(tokenId: string): Promise<void> {
  for (let i = 0; i < 20; i += 1) {
    await registry.revokeAccessToken(tokenId);
    await registry.revokeUser("acct-1", "user-1");
    await registry.revokeAccount("acct-1");
  }
}

const commands: Record<string, () => Promise<unknown>> = {
  "revoke-agent": () => registry.revokeAgent(argument),
  "revoke-task": () => registry.revokeTask(argument),
  "revoke-token": () => registry.revokeAccessToken(argument),
  "revoke-all": () => revokeAll(argument),
  "create-tokens": () => createTokens(Number(argument)),
};
process.stdout.write(JSON.stringify((await commands[command]?.()) ?? null));
await store.close();
