import { createRegistry, openStore } from "../../src/index.js";

export async function revokeAgentsOf(database: string, accountId: string, userId: string) {
  const store = await openStore(database);
  const registry = createRegistry(store);
  for (const token of await registry.listAccessTokens()) {
    if (token.accountId === accountId && token.userId === userId) {
      await registry.revokeAccessToken(token.id);
    }
  }
  const agents = await registry.listAgents({ accountId, userId });
  for (const agent of agents) await registry.revokeAgent(agent.agentRuntimeId);
  await store.close();
  return agents.length;
}
