import { sql } from "kysely";
import type { MigrationContext } from "./migration-context.js";

/** What finds tokens by what people call them, the newest first. */
export async function addTokenNameIndex({ db }: MigrationContext): Promise<void> {
  await sql`create index access_tokens_name on access_tokens (name, access_token_id) where name is not null`.execute(
    db,
  );
}
