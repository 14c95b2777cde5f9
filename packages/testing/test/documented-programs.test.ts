import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { NOT_RUN } from "../checks/documented-programs/not-run.ts";
import { groupPrograms } from "../checks/documented-programs/run-programs.ts";
import { readDocumentedPrograms, temporaryDirectory } from "../src/index.js";

const ROOT = join(import.meta.dirname, "../../..");

async function writeRepository(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryDirectory();
  onTestFinished(folder.remove);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), text);
  }
  return folder.path;
}

test("a program that no driver runs is an error", async () => {
  const root = await writeRepository({
    "examples/keys/another.ts": 'import "@countersign/agent-key";\n',
    "README.md": 'A program:\n\n```ts\nimport "@countersign/agent-key";\n```\n',
  });
  expect(() => groupPrograms(root)).toThrow(
    "keys.mjs does not run examples/keys/another.ts, which README.md shows",
  );
});

test("every example that a document shows is run from packed packages, or said why not", () => {
  const shown = readDocumentedPrograms(ROOT).flatMap(({ example }) => example ?? []);
  const run = [...groupPrograms(ROOT).values()].flat().map(({ example }) => example);
  expect(run.length).toBeGreaterThan(40);
  expect(new Set([...run, ...Object.keys(NOT_RUN)])).toEqual(new Set(shown));
  expect(run.filter((path) => path in NOT_RUN)).toEqual([]);
});
