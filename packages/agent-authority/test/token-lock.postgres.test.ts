import { describe, expect, it } from "vitest";
import { createRegistry, openStore } from "../src/index.js";
import { confirmToken } from "../src/registry/authenticate.js";
import { instantOf } from "../src/registry/times.js";
import { createTestDatabase } from "./test-database.js";

describe("a token that is looked at in a transaction", () => {
  it("keeps it from being revoked until the transaction ends (G-A26)", async () => {
    await using database = await createTestDatabase();
    await using store = await openStore(database.url);
    await using other = await openStore(database.url);
    const human = { accountId: "acct-1", userId: "user-1", role: "human" } as const;
    const { id } = await createRegistry(store).createAccessToken({ ...human, ttlSeconds: 60 });
    const principal = { ...human, actor: `token:${id}`, accessTokenId: id };
    // What a revocation locks, without the wait.
    const lockable = () =>
      other.transaction((rows) =>
        rows
          .selectFrom("access_tokens")
          .select("access_token_id")
          .forNoKeyUpdate()
          .skipLocked()
          .execute(),
      );
    await store.transaction(async (rows) => {
      await confirmToken(rows, principal, instantOf(Date.now));
      expect(await lockable()).toEqual([]);
    });
    expect(await lockable()).toHaveLength(1);
  });
});
