import { createRegistry, openStore } from "@countersign/agent-authority";

export async function stopUser(database: string, accountId: string, userId: string) {
  const store = await openStore(database);
  const registry = createRegistry(store);
  const { state } = await registry.revokeUser(accountId, userId);
  const agents = await registry.listAgents({ accountId, userId, state: "active" });
  await store.close();
  return { state, liveAgents: agents.length };
}
