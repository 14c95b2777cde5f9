import { lstatSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { type FileVersion, isSameVersion, isSettled } from "./file-version.js";
import { KeptFile } from "./kept-file.js";
import { readPrivateFile } from "./read-private-file.js";

async function open(text: string) {
  const file = join(await openDirectory(), "file");
  await writeFile(file, text, { mode: 0o600 });
  const clock = { now: Number(lstatSync(file).ctimeMs), monotonic: 0 };
  const kept = new KeptFile<string>(file, {
    wallMs: () => clock.now,
    monotonicMs: () => clock.monotonic,
  });
  const read = async () => {
    const found = await readPrivateFile(file);
    return { value: found?.text ?? "", version: found?.version };
  };
  return { file, clock, kept, read };
}

test("a file that was just written is not kept: a second write could leave the same times and size (G-H4)", async () => {
  const { clock, kept, read } = await open("one");
  expect(await kept.load(read)).toBe("one");
  expect(kept.current()).toBeUndefined();
  clock.now += 5_000;
  expect(await kept.load(read)).toBe("one");
  expect(kept.current()).toBe("one");
});

test("a file that was written while it was read is not taken for what was read", async () => {
  const { file, clock, kept, read } = await open("one");
  clock.now += 5_000;
  await kept.load(async () => {
    const found = await read();
    await writeFile(file, "two");
    return found;
  });
  expect(kept.current()).toBeUndefined();
});

test("one look serves what follows before the program waits for an event, and within 0.2 ms", async () => {
  const { file, clock, kept, read } = await open("one");
  clock.now += 5_000;
  const load = async () => {
    await kept.load(read);
    expect(kept.current()).toBe("one");
  };
  await load();
  writeFileSync(file, "two!");
  await Promise.resolve();
  expect(kept.current()).toBe("one");
  clock.monotonic += 0.2;
  expect(kept.current()).toBeUndefined();

  writeFileSync(file, "one");
  await load();
  writeFileSync(file, "two!");
  await setImmediate();
  expect(kept.current()).toBeUndefined();
});

test("nothing is served after it was dropped, however soon", async () => {
  const { clock, kept, read } = await open("one");
  clock.now += 5_000;
  await kept.load(read);
  expect(kept.current()).toBe("one");
  kept.drop();
  expect(kept.current()).toBeUndefined();
});

test("a file without a version, or that cannot be read, leaves nothing kept", async () => {
  const { clock, kept, read } = await open("one");
  clock.now += 5_000;
  await kept.load(read);
  await kept.load(async () => ({ value: "none", version: undefined }));
  expect(kept.current()).toBeUndefined();
});

test("two versions are one content only if they agree in all that the file system says", () => {
  const version: FileVersion = { dev: 1n, ino: 1n, size: 1n, mtimeNs: 1n, ctimeNs: 1n };
  for (const field of Object.keys(version)) {
    expect(isSameVersion(version, { ...version, [field]: 2n }), field).toBe(false);
  }
  expect(isSameVersion(version, { ...version })).toBe(true);
});

test("times in whole seconds, as some file systems have them, settle later", () => {
  const version = (ns: bigint): FileVersion => ({
    dev: 1n,
    ino: 1n,
    size: 1n,
    mtimeNs: ns,
    ctimeNs: ns,
  });
  expect(isSettled(version(1_000_000_001n), 1_040)).toBe(false);
  expect(isSettled(version(1_000_000_001n), 1_060)).toBe(true);
  expect(isSettled(version(1_000_000_000n), 2_900)).toBe(false);
  expect(isSettled(version(1_000_000_000n), 3_100)).toBe(true);
  // A clock that was set back: the file is of the future.
  expect(isSettled(version(9_000_000_001n), 1_000)).toBe(false);
});
