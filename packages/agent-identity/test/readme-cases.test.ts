import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const ROOT = new URL("../", import.meta.url);
const HEAD = "| case | the reference does | this does | test |";

async function loadTests(): Promise<string> {
  const texts: string[] = [];
  for (const folder of [
    "src/",
    "test/",
    "../private-file/src/",
    "../codex-home/src/",
    "../codex-home/test/",
  ]) {
    const url = new URL(folder, ROOT);
    for (const name of await readdir(url, { recursive: true })) {
      // Not this one: what it names would then exist by being named.
      if (!name.endsWith(".test.ts") || name === "readme-cases.test.ts") continue;
      texts.push(await readFile(new URL(name, url), "utf8"));
    }
  }
  // The ids of guarantees behind titles are no part of their names.
  return texts.join("\n").replaceAll(/ \((?:G-[A-Z]\d+(?:, )?)+\)(?=["'`])/g, "");
}

async function loadRows(): Promise<readonly (readonly string[])[]> {
  const readme = await readFile(new URL("README.md", ROOT), "utf8");
  const [, table = ""] = readme.split(HEAD);
  const lines = (table.split("\n\n")[0] ?? "").split("\n").slice(2);
  return lines.map((line) => line.split("|").slice(1, -1));
}

test("every case of the README names tests that exist", async () => {
  const tests = await loadTests();
  const rows = await loadRows();
  expect(rows.length).toBeGreaterThan(30);
  for (const [cause = "", ...cells] of rows) {
    expect(cells, cause).toHaveLength(3);
    const titles = [...(cells[2] ?? "").matchAll(/`([^`]+)`/g)].map(([, title = ""]) => title);
    expect(titles, cause).not.toEqual([]);
    // A title of a test, or the name of a row of its table: a text of its own either way.
    const missing = titles.filter((title) => !tests.includes(`"${title}"`));
    expect(missing, cause).toEqual([]);
  }
});
