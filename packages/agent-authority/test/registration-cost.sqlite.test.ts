import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { Server } from "node:net";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { pathOf } from "../src/observe/path-of.js";
import { TestedAuthority } from "./start-authority.js";

vi.mock(import("../src/observe/path-of.js"), { spy: true });

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

async function startWarm() {
  const tested = await TestedAuthority.start({ rateLimits: "off" });
  onTestFinished(() => tested[Symbol.asyncDispose]());
  const { id, key } = await tested.agent();
  // That use of a token is written late.
  await tested.useNoted("user-1");
  let count = 0;
  const register = async () => {
    count += 1;
    const headers = { "idempotency-key": `key-${count}` };
    const answer = await tested.registerTask(id, key, headers);
    expect(answer.status, answer.text).toBe(200);
  };
  await register();
  await register();
  return { tested, register };
}

it("registers a task with seven statements, none of which is prepared again", async () => {
  const { register } = await startWarm();
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  const columns = vi.spyOn(StatementSync.prototype, "columns");
  const reads = vi.spyOn(StatementSync.prototype, "all");
  const writes = vi.spyOn(StatementSync.prototype, "run");
  await register();
  expect(prepare).not.toHaveBeenCalled();
  expect(columns).not.toHaveBeenCalled();
  // The agent before and within the transaction, and its tasks; the task and its audit event; the savepoint and its release.
  expect(reads).toHaveBeenCalledTimes(3);
  expect(writes).toHaveBeenCalledTimes(2 + 2);
});

it("builds and compiles no query for it", async () => {
  const { tested, register } = await startWarm();
  const executor = Object.getPrototypeOf(tested.store.rows.getExecutor());
  const compile = vi.spyOn(executor, "compileQuery");
  await register();
  expect(compile).not.toHaveBeenCalled();
});

it("reads no key for it", async () => {
  const { register } = await startWarm();
  const read = vi.spyOn(crypto, "createPublicKey");
  const readPrivate = vi.spyOn(crypto, "createPrivateKey");
  syncBuiltinESMExports();
  await register();
  // The public half of the one-time key, of its KeyObject.
  expect(read.mock.calls.filter(([key]) => Buffer.isBuffer(Object(key).key))).toEqual([]);
  expect(readPrivate).not.toHaveBeenCalled();
});

it("commits those that came together once", async () => {
  const { tested } = await startWarm();
  const statements = vi.spyOn(DatabaseSync.prototype, "exec");
  await Promise.all(
    Array.from({ length: 8 }, () =>
      tested.store.transaction((rows) => rows.selectFrom("agents").selectAll().execute()),
    ),
  );
  expect(statements.mock.calls.map(([sql]) => sql)).toEqual(["begin immediate", "commit"]);
});

it("asks the system once for the addresses of a connection", async () => {
  const { register } = await startWarm();
  const address = vi.spyOn(Server.prototype, "address");
  await register();
  await register();
  expect(address).not.toHaveBeenCalled();
});

it("reads its path for no span and no log", async () => {
  const { register } = await startWarm();
  vi.mocked(pathOf).mockClear();
  await register();
  expect(pathOf).not.toHaveBeenCalled();
});
