import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";

const VECTORS = fileURLToPath(new URL("../../../packages/conformance/vectors/", import.meta.url));

test("a folder that is missing, empty or holds something else is exit 2", async () => {
  await using folder = await temporaryDirectory();
  const options = { home: join(folder.path, "home") };
  const run = (path: string) => countersign(["conformance", "run", path], options);
  expectError(await run(join(folder.path, "none")), "config_invalid", 2);
  expectError(await run(folder.path), "config_invalid", 2);
  await writeFile(join(folder.path, "x.json"), '{"form": "countersign.unknown/1"}');
  expectError(await run(folder.path), "config_invalid", 2);
});

test("a vector that differs is a line, and exit 1", async () => {
  await using folder = await temporaryDirectory();
  const options = { home: join(folder.path, "home") };
  const vectors = JSON.parse(await readFile(join(VECTORS, "assertions.json"), "utf8"));
  vectors.build[0].timestamp = "2026-04-15T17:08:10Z";
  await writeFile(join(folder.path, "assertions.json"), JSON.stringify(vectors));
  const result = await countersign(["conformance", "run", folder.path], options);
  expect(result.code).toBe(1);
  expect(result.stdout).toMatch(
    /^assertions\.json: .+: expected .+, got .+\n\d+ passed, 1 failed\n$/,
  );
});

test("the packaged vectors all pass", async () => {
  await using folder = await temporaryDirectory();
  const options = { home: join(folder.path, "home") };
  const args = ["conformance", "run", VECTORS];
  expect(await output(args, options)).toMatch(/^\d+ passed, 0 failed\n$/);
  expect(await json(args, options)).toMatchObject({ failed: 0 });
});
