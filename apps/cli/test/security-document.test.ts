import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const HEADER = "| guarantee | how | test |";
const NAMED = /`([^`]+)`: "([^"]+)"/g;

const rows = guarantees(await readFile(join(ROOT, "SECURITY.md"), "utf8"));

test("SECURITY.md has guarantees", () => {
  expect(rows.length).toBeGreaterThan(0);
});

describe("a guarantee of SECURITY.md names tests that are there:", () => {
  test.each(rows)("$guarantee", async ({ tests }) => {
    const named = [...tests.matchAll(NAMED)];
    // Nothing but tests stands in the cell, so that no test is named in a way that is not looked at.
    expect(tests.replaceAll(NAMED, "").replaceAll("<br>", "").trim()).toBe("");
    expect(named).not.toHaveLength(0);
    for (const [, file = "", title = ""] of named) {
      const source = await readFile(join(ROOT, file), "utf8");
      const isThere = [`"${title}"`, `'${title}'`, `\`${title}\``].some((it) =>
        source.includes(it),
      );
      expect(isThere, `${file} has no test "${title}"`).toBe(true);
    }
  });
});

interface Guarantee {
  readonly guarantee: string;
  readonly tests: string;
}

function guarantees(document: string): Guarantee[] {
  const found: Guarantee[] = [];
  let isInTable = false;
  for (const line of document.split("\n")) {
    if (line === HEADER) isInTable = true;
    else if (!line.startsWith("|")) isInTable = false;
    else if (isInTable && !line.startsWith("|---")) {
      const [guarantee = "", , tests = "", ...more] = line
        .slice("| ".length, -" |".length)
        .split(" | ");
      expect(more, line).toEqual([]);
      found.push({ guarantee, tests });
    }
  }
  return found;
}
