import { join } from "node:path";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { AgentIdentityManager } from "../src/agent-identity-manager.js";
import { fixedAuth } from "../src/auth.js";
import { fileStore } from "../src/store/file-store.js";

async function open(proof: "bearer" | "biscuit") {
  const authority = await openAuthority();
  const home = join(await openDirectory(), "home");
  const accessToken = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const ensureAnew = async () => {
    const manager = new AgentIdentityManager({
      authority: authority.url,
      auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken, proof }),
      store: fileStore(home),
      features: { isEnabled: () => true },
    });
    const identity = await manager.ensure();
    const { requestCount } = manager.client;
    await manager.close();
    return { identity, requestCount };
  };
  return { authority, ensureAnew };
}

test.each([
  ["bearer", 1],
  ["biscuit", 2],
] as const)(
  "a cold registration by %s is %i round trips, a stored identity none",
  async (proof, count) => {
    const { authority, ensureAnew } = await open(proof);
    const cold = await ensureAnew();
    expect([cold.requestCount, authority.requests.length]).toEqual([count, count]);
    const stored = await ensureAnew();
    expect([stored.requestCount, authority.requests.length]).toEqual([0, count]);
    expect(stored.identity?.agentRuntimeId).toBe(cold.identity?.agentRuntimeId);
  },
);

test("a hundred uses of one identity send nothing more", async () => {
  const { authority } = await open("bearer");
  const accessToken = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const manager = new AgentIdentityManager({
    authority: authority.url,
    auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
    store: fileStore(await openDirectory()),
    features: { isEnabled: () => true },
  });
  for (let i = 0; i < 100; i += 1) await manager.ensure();
  expect(authority.requests).toHaveLength(1);
});
