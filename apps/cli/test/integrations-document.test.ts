import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as CHILDREN from "../interop/proxy-env-children.ts";

test("docs/integrations.md has a row for each child process that pnpm interop runs", async () => {
  const document = await readFile(
    join(import.meta.dirname, "../../../docs/integrations.md"),
    "utf8",
  );
  const [, table = ""] = document.split("## Child processes");
  const rows = [...table.matchAll(/^\| (.*?) \| yes \| yes \| yes \|$/gm)].map(([, name]) => name);
  const run = Object.values(CHILDREN).map(({ name }) => name);
  expect(rows.toSorted()).toEqual(run.toSorted());
});
