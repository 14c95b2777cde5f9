import { createRegistry, openStore } from "@countersign/agent-authority";

export async function issueFor(database: string, accountId: string, userId: string) {
  const store = await openStore(database);
  const registry = createRegistry(store, { generations: ["A", "B", "C"] });
  const { token } = await registry.issueIdentity({ accountId, userId, ttlSeconds: 30 * 86_400 });
  await store.close();
  return token; // a key file: it holds the agent's private key
}
