import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { countUp } from "../files/counter.js";

test("the counter loses no count of callers at once, and leaves one file of this user alone", async () => {
  const home = join(await openDirectory(), "home");
  const counts = await Promise.all(Array.from({ length: 20 }, () => countUp(home)));
  expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  expect(await readdir(home)).toEqual(["count"]);
  expect((await stat(join(home, "count"))).mode & 0o777).toBe(0o600);
});
