import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findFiles } from "@countersign/testing";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The programs, by their paths in the repository. */
const EXAMPLES = findFiles(ROOT, ["examples/*/*"]).filter(
  (path) => dirname(path) !== "examples/test",
);

/** The rows of the index: the example, and the documents that it is shown in. */
const ROWS = [...read("examples/README.md").matchAll(/^\| \[`([^`]+)`\]\(([^)]+)\) \|(.*)\|$/gm)];

const LINK = /\]\(\.\.\/([^)#]+)/g;
const SHOWN = ROWS.flatMap(([, name = "", , row = ""]) =>
  [...row.matchAll(LINK)].map(([, document = ""]) => [name, document] as const),
);

test("the index names each example once", () => {
  const named = ROWS.map(([, name = "", link]) => {
    expect(link).toBe(name);
    return `examples/${name}`;
  });
  expect(named.sort()).toEqual(EXAMPLES);
});

test("each document that the index names is asked", () => {
  expect(SHOWN.length).toBeGreaterThan(45);
});

test.each(SHOWN)("%s is shown as it is run by %s", (name, document) => {
  expect(read(document)).toContain(`\n${read(join("examples", name))}\`\`\`\n`);
});
