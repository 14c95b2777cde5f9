import { Client } from "pg";
import { expect, it, onTestFinished } from "vitest";
import { openStore } from "../src/index.js";
import { createTestDatabase } from "./test-database.js";

it("upgrades a database that is being written, and lets every writer end that has begun", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await (await openStore(database.url)).close();
  const writer = await connect(database.url);
  await takeBack(writer);
  // As a registration: it has locked its agent, and has yet to write the audit log.
  await writer.query("begin");
  await writer.query("select from agents for no key update");
  const upgrade = openStore(database.url);
  const observer = await connect(database.url);
  const waiting = async () => {
    const { rows } = await observer.query(
      "select from pg_locks where not granted and relation = 'agents'::regclass",
    );
    return rows.length;
  };
  await expect.poll(waiting).toBe(1);
  await writer.query(
    "insert into audit_events (at, action) values ('2026-01-01T00:00:00Z', 'agent_renewed')",
  );
  await writer.query("commit");
  await using store = await upgrade;
  const events = await store.rows.selectFrom("audit_events").select("reason").execute();
  expect(events).toEqual([{ reason: null }]);
}, 60_000);

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Makes it a database from before the migrations that build indexes on full tables. */
async function takeBack(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select indexname as name from pg_indexes where schemaname = current_schema() and indexname <> 'audit_events_pkey'
      and (indexname like 'audit\\_events\\_%' or indexname in ('users_user_id', 'agents_of_principal', 'access_tokens_principal', 'agents_live_lasting', 'agents_live_ephemeral', 'access_tokens_user', 'access_tokens_role'))`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  await client.query("alter table audit_events drop column reason");
  await client.query("alter table agents drop column ephemeral");
  await client.query("drop table agent_uses, task_uses, agent_claims");
  for (const table of ["agents", "biscuits"]) {
    await client.query(`alter table ${table} drop column claims`);
  }
  for (const table of ["agents", "tasks"]) {
    await client.query(`drop index ${table}_created_at`);
    await client.query(`alter table ${table} drop column address`);
  }
  await client.query("alter table tasks drop column thread_label");
  await client.query("create index agents_principal on agents (account_id, user_id)");
  await client.query("alter table audit_events drop column actor_name");
  await client.query(
    `alter table access_tokens drop column name, drop column accounts, drop column last_used_at, drop column scopes, drop column first_expires_at,
      add constraint access_tokens_role_check check (role in ('human', 'resource_server', 'read', 'operate'))`,
  );
  await client.query(
    "delete from countersign_migration where name in ('0005_find', '0006_stops', '0007_operators', '0008_ephemeral_agents', '0009_last_use', '0010_token_lifetimes', '0011_list_indexes', '0012_kept_claims', '0013_token_names', '0014_thread_labels', '0015_token_lists')",
  );
}
