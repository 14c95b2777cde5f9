import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FakeClock } from "./fake-clock.js";
import { temporaryDirectory } from "./temporary-directory.js";

test("is private, and goes away with folders that may not be written", async () => {
  const { path, remove } = await temporaryDirectory();
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  await mkdir(join(path, "closed"));
  await writeFile(join(path, "closed", "file"), "");
  await chmod(join(path, "closed"), 0o500);
  await remove();
  await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a fake clock moves when it is told", () => {
  const clock = new FakeClock(1000);
  const { now } = clock;
  expect(now()).toBe(1000);
  clock.advance(500);
  expect(now()).toBe(1500);
  clock.set(10);
  expect(now()).toBe(10);
});
