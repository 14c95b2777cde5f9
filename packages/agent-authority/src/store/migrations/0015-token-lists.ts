import type { MigrationContext } from "./migration-context.js";

/** What lists the tokens of a user of any account, and those of a role, in the order of their ids: few of them are other roles than a human's. */
export async function addTokenListIndexes({ index }: MigrationContext): Promise<void> {
  await index("access_tokens_user", "access_tokens", ["user_id", "access_token_id"]);
  await index("access_tokens_role", "access_tokens", ["role", "access_token_id"]);
}
