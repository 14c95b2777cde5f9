import { faultsOfWording } from "@countersign/testing";
import { expect, it } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { isLostRace, isRowInTheWay, toPostgresError } from "./postgres-error.js";

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

it.each([
  ["55P03", "canceling statement due to lock timeout", "store_locked", true],
  ["57014", "canceling statement due to statement timeout", "store_locked", true],
  ["CERT_HAS_EXPIRED", "certificate has expired", "unreachable", false],
  ["", "The server does not support SSL connections", "unreachable", false],
  ["08P01", "unsupported startup parameter: options", "config_invalid", false],
  ["22023", 'invalid value for parameter "lock_timeout": "soon"', "config_invalid", false],
  ["28P01", "password authentication failed", "store_denied", false],
  ["XX001", "invalid page in block 0", "store_corrupt", false],
  ["25006", "cannot execute INSERT in a read-only transaction", "unreachable", true],
  ["08006", "connection failure", "unreachable", true],
  ["53300", "too many clients already", "unreachable", true],
  ["ECONNREFUSED", "connect ECONNREFUSED", "unreachable", true],
  ["", "Connection terminated unexpectedly", "unreachable", true],
] as const)("words %s, %s, as %s", (code, message, expected, retryable) => {
  const cause = Object.assign(new Error(message), code === "" ? {} : { code });
  const error = toPostgresError(cause);
  if (!AgentAuthorityError.is(error)) throw error;
  expect([error.code, error.retryable, error.cause]).toEqual([expected, retryable, cause]);
  expect(faultsOfWording(error)).toEqual([]);
  expect(error.message).not.toMatch(/: $/);
  expect(toPostgresError(error)).toBe(error);
});

it.each([
  [
    "3D000",
    new Error('database "countersgin" does not exist'),
    /: database "countersgin" does not/,
  ],
  ["ECONNREFUSED", new Error("connect ECONNREFUSED 192.0.2.1:5432"), /192\.0\.2\.1:5432$/],
  // What Node throws if a name has several addresses.
  ["ECONNREFUSED", new AggregateError([new Error("connect ECONNREFUSED ::1:5432")]), /::1:5432$/],
  ["ECONNREFUSED", new AggregateError([]), /reached: ECONNREFUSED$/],
])("says why the database cannot be used: %s, %s", (code, cause, expected) => {
  const error = toPostgresError(Object.assign(cause, { code }));
  expect(AgentAuthorityError.is(error) && error.message).toMatch(expected);
});

it.each([undefined, "08006", { code: "08006" }])(
  "gives %j back, which no driver throws",
  (thrown) => {
    expect(toPostgresError(thrown)).toBe(thrown);
  },
);

it.each([
  ["40001", true, false],
  ["40P01", true, false],
  ["23505", true, true],
  ["23503", false, false],
])("decides by %s alone whether a race was lost, and whether to a row", (code, isLost, isRow) => {
  const error = Object.assign(new Error("could not serialize access"), { code });
  expect([isLostRace(error), isRowInTheWay(error)]).toEqual([isLost, isRow]);
  expect([isLostRace({ code }), isRowInTheWay({ code })]).toEqual([false, false]);
});
