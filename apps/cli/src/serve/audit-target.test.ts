import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";
import { openAuditTarget } from "./audit-target.js";

const LINE = Buffer.from('{"status":200}\n');

test.each([
  ["a half line, which a process left that ended in it", '{"status":4', '{"status":4\n'],
  ["whole lines", '{"status":401}\n', '{"status":401}\n'],
  ["nothing", "", ""],
])("a line begins on a line of its own in a file with %s", async (_, before, kept) => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "audit.jsonl");
  await writeFile(path, before);
  const target = await openAuditTarget(path);
  await target.write(LINE);
  await target.write(LINE);
  expect(await readFile(path, "utf8")).toBe(`${kept}${LINE}${LINE}`);
  await rename(path, `${path}.1`);
  await writeFile(path, before);
  await target.follow();
  await target.write(LINE);
  await target.close();
  expect(await readFile(path, "utf8")).toBe(`${kept}${LINE}`);
});
