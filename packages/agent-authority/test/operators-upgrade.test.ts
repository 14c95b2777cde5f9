import { type Kysely, sql } from "kysely";
import { expect, it, onTestFinished } from "vitest";
import { createRegistry, openStore } from "../src/index.js";
import type { Database } from "../src/store/database.js";
import { makeDatabaseBefore } from "./database-before.js";
import { createTestDatabase } from "./test-database.js";

const MIGRATION = "0007_operators";
const WHOSE = "'acct-1', 'user-1', '2026-01-01T00:00:00Z', '2099-01-01T00:00:00Z', null";

it("keeps tokens and their biscuits, and the right of operators to make tokens (G-A50)", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  {
    await using store = await makeDatabaseBefore(database.url, MIGRATION);
    for (const role of ["human", "resource_server", "read", "operate"]) {
      await run(
        store,
        `insert into access_tokens values ('token_${role}', '${role}', '${role}', ${WHOSE})`,
      );
    }
    await run(
      store,
      "insert into biscuits (biscuit_hash, account_id, user_id, actor, access_token_id, method, target, expires_at) values ('b', 'acct-1', 'user-1', 'token:token_human', 'token_human', 'POST', '/x', '2099-01-01T00:00:00Z')",
    );
  }
  await using store = await openStore(database.url);
  const registry = createRegistry(store);
  const tokens = await registry.listAccessTokens();
  expect(tokens.map(({ role, scopes, state }) => ({ role, scopes, state }))).toEqual([
    { role: "human", scopes: undefined, state: "active" },
    { role: "operate", scopes: ["tokens"], state: "active" },
    { role: "read", scopes: undefined, state: "active" },
    { role: "resource_server", scopes: undefined, state: "active" },
  ]);
  // The foreign key still holds, the hash is still unique, and the index of the account is there again.
  const biscuits = await store.rows.selectFrom("biscuits").select("access_token_id").execute();
  expect(biscuits).toEqual([{ access_token_id: "token_human" }]);
  const refused = [
    "delete from access_tokens where access_token_id = 'token_human'",
    `insert into access_tokens (access_token_id, token_hash, role, account_id, user_id, created_at, expires_at, revoked_at) values ('token_x', 'human', 'human', ${WHOSE})`,
  ];
  for (const statement of refused) await expect(run(store.rows, statement)).rejects.toThrow();
  await expect(run(store.rows, "drop index access_tokens_principal")).resolves.toBeUndefined();
  const created = await registry.createAccessToken({
    accountId: "acct-1",
    userId: "user-1",
    role: "stop",
    ttlSeconds: 60,
  });
  expect(created.token).toMatch(/^cs_stop_/);
});

it("keeps an authority of before at work that has the database open", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await using before = await makeDatabaseBefore(database.url, MIGRATION);
  // As that authority finds a token, and as it makes one.
  const find = () =>
    run(
      before,
      "select access_token_id, role, account_id, user_id, expires_at, revoked_at from access_tokens where token_hash = 'h'",
    );
  const make = (id: string) =>
    run(
      before,
      `insert into access_tokens (access_token_id, token_hash, role, account_id, user_id, created_at, expires_at, revoked_at) values ('${id}', '${id}', 'operate', ${WHOSE})`,
    );
  await find();
  await make("token_1");
  await using store = await openStore(database.url);
  await find();
  await make("token_2");
  const registry = createRegistry(store);
  // What it made after the upgrade makes no tokens: it was not asked for.
  expect((await registry.listAccessTokens()).map(({ scopes }) => scopes)).toEqual([
    ["tokens"],
    undefined,
  ]);
});

async function run(rows: Kysely<Database>, statement: string): Promise<void> {
  await sql.raw(statement).execute(rows);
}
