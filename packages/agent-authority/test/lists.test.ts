import { expectRejection } from "@countersign/testing/vitest";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { AgentAuthorityError, createRegistry, type Registry } from "../src/index.js";
import type { AuthorityStore } from "../src/store/authority-store.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { openScratchStore, TestedAuthority } from "./start-authority.js";

describe("a page of a list", () => {
  it("is refused for an invalid size", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    for (const limit of [0, -1, 1.5, 10_001, Number.NaN]) {
      for (const list of [
        registry.listAccessTokens({ limit }),
        registry.listAgents({ limit }),
        registry.listTasks({ limit }),
        registry.listUsers({ limit }),
        registry.listAccounts({ limit }),
      ]) {
        await expectRejection(list, AgentAuthorityError, "invalid_request");
      }
    }
  });

  it("goes on after the last one seen, until there are no more", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const one = await tested.agent("user-1");
    for (const user of ["user-2", "user-3"]) await tested.agent(user);
    await registry.revokeUser("acct-0", "user-9", { evenIfUnknown: true });
    for (let i = 0; i < 3; i += 1) await tested.registerTask(one.id, one.key);
    const all = {
      tokens: (await registry.listAccessTokens()).map(({ id }) => id),
      agents: (await registry.listAgents()).map(({ agentRuntimeId }) => agentRuntimeId),
      tasks: (await registry.listTasks()).map(({ taskId }) => taskId),
      users: (await registry.listUsers()).map(({ userId }) => userId),
      accounts: (await registry.listAccounts()).map(({ accountId }) => accountId),
    };
    expect(all.users).toEqual(["user-9", "user-1", "user-2", "user-3"]);
    expect(all.accounts).toEqual(["acct-0", "acct-1"]);
    expect(all.agents).toHaveLength(3);
    expect(all.tasks).toHaveLength(3);
    const paged = await inPages(registry);
    expect(paged).toEqual(all);
  });

  it("is full of what meets the filter, however much lies between", async () => {
    await using tested = await TestedAuthority.start({ taskTtlSeconds: 60 });
    const { registry } = tested.authority;
    const one = await tested.agent("user-1");
    const two = await tested.agent("user-2");
    const ids: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { id, key } = i % 2 === 0 ? one : two;
      await tested.registerTask(id, key);
      ids.push((await registry.listTasks()).at(-1)?.taskId ?? "");
    }
    await registry.revokeTask(ids[1] ?? "");
    await registry.revokeTask(ids[4] ?? "");
    tested.clock.nowMs += 60_000;
    await tested.registerTask(one.id, one.key);
    const list = async (filter: Parameters<Registry["listTasks"]>[0]) =>
      (await registry.listTasks(filter)).map(({ taskId }) => ids.indexOf(taskId));
    expect(await list({ state: "revoked", limit: 2 })).toEqual([1, 4]);
    expect(await list({ state: "revoked", limit: 1 })).toEqual([1]);
    expect(await list({ state: "revoked", limit: 1, after: ids[1] })).toEqual([4]);
    expect(await list({ state: "expired" })).toEqual([0, 2, 3, 5]);
    expect(await list({ state: "active", limit: 1 })).toEqual([-1]);
    expect(await list({ state: "expired", userId: "user-2", accountId: "acct-1" })).toEqual([3, 5]);
    expect(await list({ state: "expired", agentRuntimeId: one.id })).toEqual([0, 2]);
    await registry.revokeUser("acct-1", "user-2");
    // What has ended by its lifetime stays so; the task that lives is another's.
    expect(await list({ state: "revoked" })).toEqual([1, 4]);
    expect(await registry.listAgents({ state: "revoked" })).toMatchObject([{ userId: "user-2" }]);
    expect(await registry.listAgents({ state: "expired" })).toEqual([]);
    expect(await registry.listUsers({ state: "revoked" })).toMatchObject([{ userId: "user-2" }]);
    expect(await registry.listUsers({ accountId: "acct-2" })).toEqual([]);
    await registry.revokeAccount("acct-1");
    expect(await list({ state: "revoked" })).toEqual([1, 4, -1]);
    await registry.restoreAccount("acct-1");
    expect(await registry.listAccounts({ state: "revoked" })).toEqual([]);
    expect(await registry.listAccessTokens({ userId: "user-2", role: "human" })).toHaveLength(1);
    expect(await registry.listAccessTokens({ accountId: "acct-1", role: "read" })).toEqual([]);
  });

  it("is the same where an account has more tasks than are sorted", async () => {
    await using store = await openScratchStore();
    // 100 tasks each; of 105 agents the first five are the user's whose tasks are few.
    await seedRegistry(store, 105, 1);
    const registry = createRegistry(store);
    const all = await registry.listTasks({ limit: 10_000 });
    const few = all.slice(0, 500).map(({ taskId }) => taskId);
    const change = { account_id: "acct-9", user_id: "user-9" };
    const isLater = sql<boolean>`agent_runtime_id > ${all[499]?.agentRuntimeId}`;
    await store.rows.updateTable("agents").set(change).where(isLater).execute();
    await store.rows
      .insertInto("users")
      .values({ ...change, created_at: "2026-01-01T00:00:00Z", revoked_at: null })
      .execute();
    const rest = await registry.listTasks({ after: few.at(-1), limit: 10_000 });
    expect(rest).toHaveLength(10_000);
    for (const filter of [{ accountId: "acct-0" }, { userId: "user-0" }]) {
      const listed = await registry.listTasks({ ...filter, limit: 10_000 });
      expect(listed.map(({ taskId }) => taskId)).toEqual(few);
    }
    await seedOneMore(store);
    for (const filter of [{ accountId: "acct-9" }, { userId: "user-9" }]) {
      expect(await registry.listTasks({ ...filter, limit: 10_000 })).toEqual(rest);
    }
  });

  it("leaves lapsed claims out, and is still as long as was asked for", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    for (const user of ["user-1", "user-2"]) await tested.agent(user);
    tested.clock.nowMs += 24 * 3_600_000 - 1_000;
    for (const user of ["user-3", "user-4"]) await tested.agent(user);
    tested.clock.nowMs += 1_000;
    const page = await registry.listAgents({ limit: 2 });
    expect(page.map(({ userId }) => userId)).toEqual(["user-3", "user-4"]);
  });
});

/** One task more than are sorted, of the account that has so many. */
async function seedOneMore({ rows }: AuthorityStore): Promise<void> {
  await sql`insert into tasks (task_id, agent_runtime_id, state, created_at)
    select 'task_9', max(agent_runtime_id), 'active', max(created_at) from tasks`.execute(rows);
}

async function inPages(registry: Registry) {
  return {
    tokens: await walk(
      (after: string | undefined) => registry.listAccessTokens({ after, limit: 1 }),
      ({ id }) => id,
      ({ id }) => id,
    ),
    agents: await walk(
      (after: string | undefined) => registry.listAgents({ after, limit: 2 }),
      ({ agentRuntimeId }) => agentRuntimeId,
      ({ agentRuntimeId }) => agentRuntimeId,
    ),
    tasks: await walk(
      (after: string | undefined) => registry.listTasks({ after, limit: 2 }),
      ({ taskId }) => taskId,
      ({ taskId }) => taskId,
    ),
    users: await walk(
      (after: { accountId: string; userId: string } | undefined) =>
        registry.listUsers({ after, limit: 1 }),
      ({ accountId, userId }) => ({ accountId, userId }),
      ({ userId }) => userId,
    ),
    accounts: await walk(
      (after: string | undefined) => registry.listAccounts({ after, limit: 1 }),
      ({ accountId }) => accountId,
      ({ accountId }) => accountId,
    ),
  };
}

async function walk<Entry, Cursor>(
  list: (after: Cursor | undefined) => Promise<Entry[]>,
  cursorOf: (entry: Entry) => Cursor,
  nameOf: (entry: Entry) => string,
): Promise<string[]> {
  const names: string[] = [];
  let after: Cursor | undefined;
  for (;;) {
    const page = await list(after);
    const last = page.at(-1);
    if (last === undefined) return names;
    names.push(...page.map(nameOf));
    after = cursorOf(last);
  }
}
