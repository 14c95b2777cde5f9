import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDirectory } from "../../test/support/directory.js";
import { expectRejection } from "../../test/support/expect-rejection.js";
import { CredentialStoreError } from "../credential-store-error.js";
import { releaseLock, takeLock } from "./lock-directory.js";
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

test("is denied where something stands that is no line", async () => {
  const { lock } = await setUp();
  await writeFile(`${lock}.line`, "");
  const locking = withFileLock(lock, async () => {});
  await expectRejection(locking, CredentialStoreError, "store_denied");
});

test("a waiter that gives up, or whose caller has had enough, leaves nothing behind", async () => {
  const { home, lock, paths, waiting } = await setUp();
  await takeLock(lock, word("0"));
  const abort = new AbortController();
  const { signal } = abort;
  const aborted = withFileLock(paths[0] ?? "", async () => {}, { signal });
  await expect.poll(waiting).toBe(1);
  const locking = withFileLock(paths[1] ?? "", async () => {}, { waitMs: 20 });
  await expectRejection(locking, CredentialStoreError, "store_locked");
  abort.abort();
  await expectRejection(aborted, CredentialStoreError, "cancelled");
  expect(await readdir(home)).toEqual(["lock"]);
});

test("serves those who wait in the order in which they came, and whoever comes while they wait after them", async () => {
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
    await new LockLine(lock, word("1")).enter(`${boot} ${namespace} ${id} 1`, 0);
    expect(await withFileLock(lock, async () => "mine", { waitMs: 0 })).toBe("mine");
    expect(await readdir(home)).toEqual([]);
  },
);

test("a place without a sign of life for three seconds is removed where nothing is known of its process, and passed over where it runs", async () => {
  for (const [mark, left] of [
    ["", []],
    [await markOfThisProcess(), ["lock.line"]],
  ] as const) {
    const { lock, home } = await setUp();
    const silent = new LockLine(lock, word("1"));
    await silent.enter(mark, 0);
    const next = new LockLine(lock, word("2"));
    const looks: number[] = [];
    for (let now = 0; now <= 3000; now += 500) looks.push(await next.ahead(now));
    expect(looks).toEqual([1, 1, 1, 1, 1, 1, 0]);
    // Elsewhere than on Linux nothing is known of any process.
    expect(await readdir(home)).toEqual(process.platform === "linux" ? left : []);
  }
});

test("a sign of life keeps a place, and a waiter whose place is gone takes another", async () => {
  const { lock } = await setUp();
  const slow = new LockLine(lock, word("1"));
  await slow.enter("", 0);
  const next = new LockLine(lock, word("2"));
  await next.enter("", 0);
  for (let now = 0; now <= 10_000; now += 500) {
    await slow.enter("", now);
    await next.enter("", now);
    expect(await next.ahead(now)).toBe(1);
  }
  await slow.leave();
  await slow.enter("", 10_500);
  expect([await slow.ahead(10_500), await next.ahead(10_500)]).toEqual([1, 0]);
});
