import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { createRegistry, openStore, type Registry } from "../src/index.js";
import { createTestDatabase } from "./test-database.js";

const THEN = "2026-01-01T00:00:00Z";

const restoreUser = (registry: Registry) => registry.restoreUser("acct-1", "user-1");
const restoreAccount = (registry: Registry) => registry.restoreAccount("acct-1");

async function revokeToken(registry: Registry) {
  const [token] = await registry.listAccessTokens();
  return registry.revokeAccessToken(token?.id ?? "");
}

describe("a change of state that comes while the same one is on its way", () => {
  it.each([
    ["users", restoreUser, null],
    ["accounts", restoreAccount, null],
    ["access_tokens", revokeToken, THEN],
  ] as const)("waits for it, and writes no event: %s", async (table, change, revokedAt) => {
    await using database = await createTestDatabase();
    await using store = await openStore(database.url);
    await using other = await openStore(database.url);
    const registry = createRegistry(store);
    const human = { accountId: "acct-1", userId: "user-1", role: "human" } as const;
    await registry.createAccessToken({ ...human, ttlSeconds: 60 });
    await registry.revokeUser("acct-1", "user-1");
    await registry.revokeAccount("acct-1");
    const before = await registry.listAuditEvents();
    let second: ReturnType<typeof change> | undefined;
    await other.transaction(async (rows) => {
      await rows.updateTable(table).set({ revoked_at: revokedAt }).execute();
      const { pid } = await one(rows, sql<{ pid: number }>`select pg_backend_pid() as pid`);
      second = change(registry);
      const waiting = sql<{ count: string }>`
        select count(*) from pg_stat_activity where ${pid} = any(pg_blocking_pids(pid))`;
      await expect.poll(async () => (await one(store.rows, waiting)).count).toBe("1");
    });
    expect((await second)?.revokedAt).toBe(revokedAt ?? undefined);
    expect(await registry.listAuditEvents()).toEqual(before);
  });
});

type Executable<Row> = ReturnType<typeof sql<Row>>;

async function one<Row>(
  rows: Parameters<Executable<Row>["execute"]>[0],
  query: Executable<Row>,
): Promise<Row> {
  const { rows: found } = await query.execute(rows);
  return found[0] ?? expect.unreachable();
}
