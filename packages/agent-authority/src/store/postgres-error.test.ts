import { expect, it } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { toPostgresError } from "./postgres-error.js";

// What PostgreSQL says; to bring it about would close the server's database to everybody else.
it("takes a database that is closed to connections for one that may be opened again, and other states for defects", () => {
  const closed = Object.assign(
    new Error('database "countersign" is not currently accepting connections'),
    { code: "55000" },
  );
  const error = toPostgresError(closed);
  expect(AgentAuthorityError.is(error) && [error.code, error.retryable]).toEqual([
    "unreachable",
    true,
  ]);
  const other = Object.assign(new Error("cannot do this in this state"), { code: "55000" });
  expect(toPostgresError(other)).toBe(other);
});
