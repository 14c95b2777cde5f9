import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { CODEX_CASES } from "./codex-cases.js";

const ROOT = new URL("../", import.meta.url);

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
      if (!name.endsWith(".test.ts") || name === "codex-cases.test.ts") continue;
      texts.push(await readFile(new URL(name, url), "utf8"));
    }
  }
  // The ids of guarantees behind titles are no part of their names.
  return texts.join("\n").replaceAll(/ \((?:G-[A-Z]\d+(?:, )?)+\)(?=["'`])/g, "");
}

async function loadCases(): Promise<readonly string[]> {
  const document = await readFile(new URL("../../docs/codex.md", ROOT), "utf8");
  const [, section = ""] = document.split("\n### With identities\n");
  const [, , ...rows] = (section.trim().split("\n\n")[0] ?? "").split("\n");
  return rows.map((row) => row.split("|")[1]?.trim() ?? "");
}

test("the cases of identities in docs/codex.md are those that have tests, in their order", async () => {
  expect(await loadCases()).toEqual(Object.keys(CODEX_CASES));
});

test("every case names tests that exist", async () => {
  const tests = await loadTests();
  const cases = Object.entries(CODEX_CASES);
  expect(cases.length).toBeGreaterThan(30);
  for (const [cause, titles] of cases) {
    expect(titles, cause).not.toEqual([]);
    // A title of a test, or the name of a row of its table: a text of its own either way.
    const missing = titles.filter((title) => !tests.includes(`"${title}"`));
    expect(missing, cause).toEqual([]);
  }
});
