import { chmod, chown, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { releaseLock, removeLockLeftOvers, takeLock } from "./lock-directory.js";
import { LockLine } from "./lock-line.js";
import { markOfThisProcess } from "./process-mark.js";
import { withFileLock } from "./with-file-lock.js";

const word = (digit: string) => digit.repeat(32);

/** A folder under several names: under each its lock is waited for as by another process. */
async function setUp() {
  const root = await openDirectory();
  const home = join(root, "home");
  await mkdir(home);
  const paths = await Promise.all(
    ["a", "b", "c", "d"].map(async (name) => {
      await symlink(home, join(root, name));
      return join(root, name, "lock");
    }),
  );
  const lock = join(home, "lock");
  const waiting = async () => (await readdir(`${lock}.line`).catch(() => [])).length;
  return { home, lock, paths, waiting };
}

test("a waiter does without a line where something else stands, and leaves it there", async () => {
  const { lock, home, paths } = await setUp();
  await writeFile(`${lock}.line`, "");
  await takeLock(lock, word("0"));
  const locking = withFileLock(paths[0] ?? "", async () => "mine");
  await releaseLock(lock, word("0"));
  expect(await locking).toBe("mine");
  expect(await readdir(home)).toEqual(["lock.line"]);
});

test.runIf(process.getuid?.() === 0)("a line that another user left blocks no waiter", async () => {
  const { lock, home } = await setUp();
  await new LockLine(lock, word("1")).enter("", Date.now());
  await chown(home, 65_534, 65_534);
  await chmod(dirname(home), 0o755);
  process.seteuid?.(65_534);
  try {
    expect(await withFileLock(lock, async () => "mine", { waitMs: 0 })).toBe("mine");
  } finally {
    process.seteuid?.(0);
  }
});

test("a waiter that gives up, or whose caller has had enough, leaves nothing behind", async () => {
  const { home, lock, paths, waiting } = await setUp();
  await takeLock(lock, word("0"));
  const abort = new AbortController();
  const { signal } = abort;
  const aborted = withFileLock(paths[0] ?? "", async () => {}, { signal });
  await expect.poll(waiting).toBe(1);
  const locking = withFileLock(paths[1] ?? "", async () => {}, { waitMs: 20 });
  await expectRejection(locking, StoreError, "store_locked");
  abort.abort();
  await expectRejection(aborted, StoreError, "cancelled");
  expect(await readdir(home)).toEqual(["lock"]);
});

test("serves waiters in the order in which they came, and one that comes later after them", async () => {
  const { home, lock, paths, waiting } = await setUp();
  await takeLock(lock, word("0"));
  const order: number[] = [];
  const run = (n: number) => withFileLock(paths[n] ?? "", async () => void order.push(n));
  const runs: Promise<void>[] = [];
  for (const n of [2, 0, 1]) {
    runs.push(run(n));
    await expect.poll(waiting).toBe(runs.length);
  }
  await releaseLock(lock, word("0"));
  await Promise.all([...runs, run(3)]);
  expect(order).toEqual([2, 0, 1, 3]);
  expect(await readdir(home)).toEqual([]);
});

test("one who takes the lock again and again overtakes a waiter not even once", async () => {
  const { lock, paths, waiting } = await setUp();
  await takeLock(lock, word("0"));
  const taken: string[] = [];
  const patient = withFileLock(paths[0] ?? "", async () => void taken.push("patient"));
  await expect.poll(waiting).toBe(1);
  await releaseLock(lock, word("0"));
  const take = () => withFileLock(paths[1] ?? "", async () => void taken.push("greedy"));
  for (let i = 0; i < 5; i += 1) await take();
  await patient;
  expect(taken.indexOf("patient")).toBe(0);
});

test("many waiters get one place each, and their folder goes with the last", async () => {
  const { home, lock } = await setUp();
  const lines = Array.from({ length: 8 }, (_, i) => new LockLine(lock, word(`${i}`)));
  const mark = await markOfThisProcess();
  for (let round = 0; round < 20; round += 1) {
    // One is sent away while another enters: its look takes no place, the next one does.
    await Promise.all(
      lines.map((line, i) => (i % 2 === round % 2 ? line.leave() : line.enter(mark, round))),
    );
  }
  await Promise.all(lines.map((line) => line.enter(mark, 1000)));
  const ahead = await Promise.all(lines.map((line) => line.ahead(1000)));
  expect(ahead.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const line of lines) await line.leave();
  expect(await readdir(home)).toEqual([]);
});

test.runIf(process.platform === "linux")(
  "the place of a process that has ended is removed at once",
  async () => {
    const { lock, home } = await setUp();
    const [boot, namespace, id] = (await markOfThisProcess()).split(" ");
    await new LockLine(lock, word("1")).enter(`${boot} ${namespace} ${id} 1`, Date.now());
    expect(await withFileLock(lock, async () => "mine", { waitMs: 0 })).toBe("mine");
    expect(await readdir(home)).toEqual([]);
  },
);

test("all places without a sign of life for three seconds are removed at one look", async () => {
  const { lock, home } = await setUp();
  const own = await markOfThisProcess();
  for (const [i, mark] of ["", own, "elsewhere", own].entries()) {
    await new LockLine(lock, word(`${i}`)).enter(mark, 10_000);
  }
  const next = new LockLine(lock, word("a"));
  expect(await next.ahead(13_000)).toBe(4);
  expect(await next.ahead(13_001)).toBe(0);
  expect(await readdir(home)).toEqual([]);
});

test("a place with a time in the future, after the clock was set back, blocks no waiter", async () => {
  const { lock } = await setUp();
  await new LockLine(lock, word("1")).enter("", 10_000);
  expect(await new LockLine(lock, word("2")).ahead(6_999)).toBe(0);
});

test("a sign of life keeps a place, also where the clock was set back, and a waiter whose place is gone takes another", async () => {
  const { lock } = await setUp();
  const slow = new LockLine(lock, word("1"));
  await slow.enter("", 0);
  const next = new LockLine(lock, word("2"));
  await next.enter("", 0);
  const times = Array.from({ length: 21 }, (_, i) => i * 500);
  for (const now of [...times, 500, 1000]) {
    await slow.enter("", now);
    await next.enter("", now);
    expect(await next.ahead(now)).toBe(1);
  }
  await slow.leave();
  await slow.enter("", 1500);
  expect([await slow.ahead(1500), await next.ahead(1500)]).toEqual([1, 0]);
});

test("what killed waiters left of other locks goes when a lock of the folder is broken", async () => {
  const { home } = await setUp();
  await new LockLine(join(home, "a.lock"), word("1")).enter("", 0);
  await new LockLine(join(home, "b.lock"), word("2")).enter("", Date.now());
  await mkdir(join(home, "c.lock.line"));
  await mkdir(join(home, "d.lock.line"));
  await writeFile(join(home, "d.lock.line", "other"), "");
  await removeLockLeftOvers(join(home, "lock"), Date.now());
  expect(await readdir(home)).toEqual(["b.lock.line", "d.lock.line"]);
});
