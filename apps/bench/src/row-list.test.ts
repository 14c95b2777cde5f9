import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadRow, ROWS } from "./row-list.ts";

describe("rows", () => {
  test("are all files of the folder, each once", () => {
    const files = readdirSync(new URL("rows", import.meta.url))
      .filter((file) => file.endsWith(".ts"))
      .map((file) => file.slice(0, -".ts".length));
    expect([...ROWS].sort()).toEqual(files.sort());
  });

  test.each(ROWS)("%s has the name of its file and texts of a table's width", async (name) => {
    const row = await loadRow(name);
    expect(row.name).toBe(name);
    for (const text of [row.title, row.against]) {
      expect(text.length).toBeGreaterThan(0);
      expect(text.length).toBeLessThanOrEqual(120);
      expect(text).not.toContain("|");
    }
  });

  test("refuses a name that is not a row's", async () => {
    await expect(loadRow("../harness/verdict")).rejects.toThrow("there is no row");
  });
});
