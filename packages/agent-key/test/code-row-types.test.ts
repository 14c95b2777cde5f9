import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { runProcess, temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "../src");
const TSC = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin/tsc",
);
const END = "\n} as const satisfies";
const WHOLE = `{
    status: 401,
    givenBy: "verifier",
    onAssertion: "new_task",
    onRegistration: "hand_up",
    allowsFallback: false,
    exitCode: 4,
  }`;

/** What the compiler says of the table with one more row, for each of these rows by its name. */
async function errorsOf(rows: Readonly<Record<string, string>>) {
  await using folder = await temporaryDirectory();
  const table = await readFile(join(SOURCE, "code-rows.ts"), "utf8");
  expect(table).toContain(END);
  for (const [name, row] of Object.entries(rows)) {
    const text = table.replace(END, `\n  task_paused: ${row},${END}`);
    await writeFile(join(folder.path, `${name}.ts`), text);
  }
  const files = Object.keys(rows).map((name) => `${name}.ts`);
  const args = [
    TSC,
    "--noEmit",
    "--strict",
    "--target",
    "es2023",
    "--module",
    "nodenext",
    ...files,
  ];
  const { stdout } = await runProcess(process.execPath, args, { cwd: folder.path });
  const errors = Object.fromEntries(Object.keys(rows).map((name) => [name, ""]));
  let about = "";
  for (const line of stdout.split("\n")) {
    about = /^(\w+)\.ts\(/.exec(line)?.[1] ?? about;
    if (about !== "") errors[about] += line;
  }
  return errors;
}

test("a new code does not compile until its row is whole, and the compiler names what is missing", async () => {
  const columns = [...WHOLE.matchAll(/^ {4}(\w+):/gm)].map(([, name]) => name as string);
  const without = (column: string) => WHOLE.replace(new RegExp(`^ {4}${column}:.*\n`, "m"), "");
  const errors = await errorsOf({
    ...Object.fromEntries(columns.map((column) => [column, without(column)])),
    other_status: WHOLE.replace("401", "418"),
    whole: WHOLE,
  });
  for (const column of columns) {
    expect(errors[column]).toContain(`Property '${column}' is missing`);
  }
  expect(errors.other_status).toContain("'418' is not assignable");
  expect(errors.whole).toBe("");
});
