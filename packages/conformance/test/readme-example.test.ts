import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { run } from "./examples/run.js";

test("the README holds the example as it is compiled", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("./examples/run.ts", import.meta.url), "utf8");
  expect(readme).toContain(example.trim());
});

test("the README's program answers what the README says", async () => {
  expect(await run()).toBe("584 passed, 0 failed");
  expect(await run(new URL("../src/", import.meta.url))).toMatch(
    /^config_invalid: .* holds no vectors$/,
  );
});
