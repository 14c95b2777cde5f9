import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runChild } from "./run-child.js";

test("a child is not started after this process was asked to end", async () => {
  const child = { command: "/does/not/exist", args: [], env: {}, signal: AbortSignal.abort() };
  await expect(runChild(child)).rejects.toMatchObject({ name: "AbortError" });
});

test("every child process is started where secrets are left out of its environment (G-A45)", () => {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const starting = files
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .filter((file) => readFileSync(join(folder, file), "utf8").includes("node:child_process"));
  expect(starting).toEqual(["process/run-child.ts"]);
});
