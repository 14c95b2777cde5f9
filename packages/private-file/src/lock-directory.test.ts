import { lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import {
  isLockHeldBy,
  loadLockHolder,
  putLockAside,
  releaseLock,
  removeLockLeftOvers,
  renameLockAside,
  takeLock,
  touchLock,
} from "./lock-directory.js";

const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(32)) as [string, string, string];

async function open() {
  const root = await openDirectory();
  return { root, lock: join(root, "lock"), names: async () => (await readdir(root)).sort() };
}

test("of many that take a lock at once one has it, and nothing else is left", async () => {
  const { lock, names } = await open();
  const words = Array.from({ length: 40 }, (_, i) => i.toString(16).padStart(32, "0"));
  const taken = await Promise.all(words.map((word) => takeLock(lock, word)));
  expect(taken.filter(Boolean)).toHaveLength(1);
  const word = words[taken.indexOf(true)] ?? "";
  expect(await loadLockHolder(lock)).toMatchObject({ word });
  expect(await names()).toEqual(["lock"]);
  await releaseLock(lock, word);
  expect(await names()).toEqual([]);
  expect(await loadLockHolder(lock)).toBeUndefined();
});

test("a sign of life changes what others see, and is none of a lock that is gone", async () => {
  const { lock } = await open();
  await takeLock(lock, A);
  const before = await loadLockHolder(lock);
  await expect
    .poll(async () => [await touchLock(lock, A), await loadLockHolder(lock)])
    .not.toEqual([true, before]);
  expect(await touchLock(lock, B)).toBe(false);
});

describe("a stale lock", () => {
  test("is put aside by one of all who saw it", async () => {
    const { lock } = await open();
    await takeLock(lock, A);
    const breakers = Array.from({ length: 20 }, () => putLockAside(lock, A));
    expect((await Promise.all(breakers)).filter(Boolean)).toHaveLength(1);
    expect(await loadLockHolder(lock)).toBeUndefined();
  });

  test("is not put aside again by one who comes late: the next holder keeps its lock", async () => {
    const { lock } = await open();
    await takeLock(lock, A);
    await putLockAside(lock, A);
    await takeLock(lock, B);
    expect(await putLockAside(lock, A)).toBe(false);
    expect(await loadLockHolder(lock)).toMatchObject({ word: B });
  });

  test("that was released and taken by another is not even touched", async () => {
    const { lock } = await open();
    await takeLock(lock, B);
    const { ctimeNs } = await lstat(lock, { bigint: true });
    expect(await putLockAside(lock, A)).toBe(false);
    expect((await lstat(lock, { bigint: true })).ctimeNs).toBe(ctimeNs);
  });

  test("goes back where it was when another one took it between look and rename", async () => {
    const { lock, names } = await open();
    await takeLock(lock, B);
    // What the late one saw is A; what it renames is B's.
    expect(await renameLockAside(lock, A)).toBe(false);
    expect(await loadLockHolder(lock)).toMatchObject({ word: B });
    expect(await names()).toEqual(["lock"]);
  });

  test("is left where it is, and the reason told, where something else stands in the way", async () => {
    const { lock } = await open();
    await takeLock(lock, A);
    await writeFile(`${lock}.${A}.gone`, "");
    await expect(putLockAside(lock, A)).rejects.toMatchObject({ code: "ENOTDIR" });
    expect(await isLockHeldBy(lock, A)).toBe(true);
  });

  test("is not put aside over what is left of another's try", async () => {
    const { lock } = await open();
    await takeLock(lock, A);
    await mkdir(`${lock}.${A}.gone`);
    await writeFile(join(`${lock}.${A}.gone`, A), "");
    expect(await putLockAside(lock, A)).toBe(false);
    expect(await isLockHeldBy(lock, A)).toBe(true);
  });

  test("that was put aside is not released by its first holder, who only slept", async () => {
    const { lock } = await open();
    await takeLock(lock, A);
    await putLockAside(lock, A);
    await takeLock(lock, B);
    await releaseLock(lock, A);
    expect(await isLockHeldBy(lock, B)).toBe(true);
  });
});

test("what stands there and is no lock is denied", async () => {
  const { lock } = await open();
  await mkdir(lock);
  await writeFile(join(lock, "note"), "");
  await expectRejection(loadLockHolder(lock), StoreError, "store_denied");
  expect(await takeLock(lock, A)).toBe(false);
});

test("left-overs of killed processes go a minute later, and nothing else", async () => {
  const { root, lock, names } = await open();
  await takeLock(lock, A);
  await putLockAside(lock, A);
  await mkdir(`${lock}.${B}.new`);
  await writeFile(join(`${lock}.${B}.new`, B), "");
  await takeLock(lock, C);
  await writeFile(join(root, "note.gone"), "");
  const all = ["lock", `lock.${A}.gone`, `lock.${B}.new`, "note.gone"];
  await removeLockLeftOvers(lock, Date.now());
  expect(await names()).toEqual(all);
  await removeLockLeftOvers(lock, Date.now() + 61_000);
  expect(await names()).toEqual(["lock", "note.gone"]);
});
