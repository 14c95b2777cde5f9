import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { temporaryDirectory } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { Kysely } from "kysely";
import { expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { Database } from "./database.js";
import { migrate } from "./migrate.js";
import { createSqliteDialect } from "./sqlite-dialect.js";

/** An empty database, as two connections that wait for nothing. */
async function openTwice() {
  const folder = await temporaryDirectory();
  const open = () => new DatabaseSync(join(folder.path, "authority.db"), { timeout: 0 });
  const other = open();
  const rows = new Kysely<Database>({ dialect: createSqliteDialect(open()) });
  onTestFinished(async () => {
    await rows.destroy();
    other.close();
    await folder.remove();
  });
  return { rows, other };
}

it("is store_locked while another process has the database, and goes on after", async () => {
  const { rows, other } = await openTwice();
  other.exec("begin immediate");
  await expectRejection(migrate(rows, "sqlite"), AgentAuthorityError, "store_locked");
  other.exec("rollback");
  await migrate(rows, "sqlite");
  expect(await rows.selectFrom("agents").selectAll().execute()).toEqual([]);
});

it("is store_corrupt for a migration of a newer version", async () => {
  const { rows, other } = await openTwice();
  await migrate(rows, "sqlite");
  other.exec("insert into kysely_migration (name, timestamp) values ('9999', '2100-01-01')");
  await expectRejection(migrate(rows, "sqlite"), AgentAuthorityError, "store_corrupt");
});
