import { describe, expect, it } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { isBusy, toStoreError } from "./sqlite-error.js";

function sqliteError(errcode: number, message = "from SQLite"): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode });
}

describe("an error of SQLite", () => {
  it("becomes the code of what is wrong with the file, extended codes too", () => {
    for (const [errcode, code, retryable] of [
      [5, "store_locked", true],
      [517, "store_locked", true],
      [6, "store_locked", true],
      [3, "store_denied", false],
      [8, "store_denied", false],
      [1_032, "store_denied", false],
      [13, "store_denied", false],
      [14, "store_denied", false],
      [11, "store_corrupt", false],
      [26, "store_corrupt", false],
    ] as const) {
      const error = toStoreError(sqliteError(errcode));
      expect(AgentAuthorityError.is(error)).toBe(true);
      expect(error).toMatchObject({ code, retryable, hint: expect.any(String) });
    }
  });

  it("is store_denied for a table that is missing, and for no other fault of a statement", () => {
    const missing = toStoreError(sqliteError(1, "no such table: agents"));
    expect(missing).toMatchObject({ code: "store_denied", hint: expect.stringMatching(/backup/) });
    for (const message of ["no such column: agents", 'near "no such table: a": syntax error']) {
      const other = sqliteError(1, message);
      expect(toStoreError(other)).toBe(other);
    }
  });

  it("stays as it is where it is about a statement, and so does any other error", () => {
    const other = [sqliteError(2_067), sqliteError(1), new Error("x"), "text", undefined];
    for (const error of other) expect(toStoreError(error)).toBe(error);
  });

  it("is busy only if another connection holds the database", () => {
    expect([5, 261, 6, 1].map((errcode) => isBusy(sqliteError(errcode)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
