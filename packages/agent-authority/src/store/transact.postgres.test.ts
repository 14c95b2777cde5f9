import { sql } from "kysely";
import { expect, it } from "vitest";
import { createTestDatabase } from "../../test/test-database.js";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { openStore } from "./open-store.js";
import { transactAlone } from "./transact.js";

/** Runs a transaction that PostgreSQL refuses with a SQLSTATE at every attempt, each of which takes some milliseconds of the clock. */
async function lose(state: string, attemptMs: number) {
  await using database = await createTestDatabase();
  await using store = await openStore(database.url);
  let nowMs = 0;
  let attempts = 0;
  const transact = transactAlone(store.rows, () => nowMs);
  const error: unknown = await transact(async (rows) => {
    attempts += 1;
    nowMs += attemptMs;
    await sql.raw(`do $$ begin raise exception sqlstate '${state}'; end $$`).execute(rows);
  }).catch((reason: unknown) => reason);
  return { attempts, error };
}

it.each(["40001", "40P01"])(
  "gives up a race that is lost with %s after 8 attempts",
  async (state) => {
    const { attempts, error } = await lose(state, 0);
    expect(attempts).toBe(8);
    expect(AgentAuthorityError.is(error) && error).toMatchObject({
      code: "store_locked",
      retryable: true,
      cause: { code: state },
    });
  },
);

it.each(["40001", "23505"])(
  "begins no attempt 5 s after the first one began, of which %s is no defect",
  async (state) => {
    const { attempts, error } = await lose(state, 2_500);
    expect(attempts).toBe(2);
    expect(AgentAuthorityError.is(error) && error.code).toBe("store_locked");
  },
);

it("tries a row that came first again, and reports one that stays as it is", async () => {
  const { attempts, error } = await lose("23505", 0);
  expect(attempts).toBe(8);
  expect(error).toMatchObject({ code: "23505" });
});

it("tries nothing else again", async () => {
  const { attempts, error } = await lose("22012", 0);
  expect(attempts).toBe(1);
  expect(error).toMatchObject({ code: "22012" });
});
