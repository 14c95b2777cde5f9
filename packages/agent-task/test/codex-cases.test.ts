import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { CODEX_CASES } from "./codex-cases.js";

const HERE = new URL(".", import.meta.url);
const TITLE = /\b(describe|it|test)\(\s*(["`])((?:\\.|(?!\2)[^\\])*)\2/g;
const HOLE = /\\\$\\\{[^}]*\\\}/g;

interface Title {
  readonly describe: RegExp;
  readonly it: RegExp;
  readonly source: string;
}

/** A title as a pattern: what a template leaves open may be anything that the file spells out. */
function patternOf(title: string): RegExp {
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(HOLE, "(.+)")}$`);
}

async function loadTitles(): Promise<readonly Title[]> {
  const titles: Title[] = [];
  for (const name of await readdir(HERE)) {
    if (!name.endsWith(".test.ts")) continue;
    const text = await readFile(new URL(name, HERE), "utf8");
    // The ids of guarantees behind titles are no part of their names.
    const source = text.replaceAll(/ \((?:G-[A-Z]\d+(?:, )?)+\)(?=["'`])/g, "");
    let group = patternOf("");
    for (const [, kind, , title = ""] of source.matchAll(TITLE)) {
      if (kind === "describe") group = patternOf(title);
      else titles.push({ describe: group, it: patternOf(title), source });
    }
  }
  return titles;
}

function exists(name: string, titles: readonly Title[]): boolean {
  const [group = "", ...rest] = name.split(" > ");
  const title = rest.join(" > ");
  return titles.some(({ describe: outer, it: inner, source }) => {
    const holes = [outer.exec(group), inner.exec(title)];
    if (holes.includes(null)) return false;
    const filled = holes.flatMap((match) => match?.slice(1) ?? []);
    // Rows of a table are numbered where they share a name.
    return filled.every((text) => source.includes(`"${text.replace(/ \(\d+\)$/, "")}"`));
  });
}

async function loadCases(): Promise<readonly string[]> {
  const document = await readFile(new URL("../../../docs/codex.md", HERE), "utf8");
  const [, section = ""] = document.split("\n### With tasks\n");
  const [, , ...rows] = (section.trim().split("\n\n")[0] ?? "").split("\n");
  return rows.map((row) => row.split(/(?<!\\)\|/)[1]?.trim() ?? "");
}

describe("the cases of tasks in docs/codex.md", () => {
  it("are those that have tests, in their order", async () => {
    expect(await loadCases()).toEqual(Object.keys(CODEX_CASES));
  });

  it("name tests that exist, each of them", async () => {
    const titles = await loadTitles();
    const cases = Object.entries(CODEX_CASES);
    expect(cases.length).toBeGreaterThan(30);
    for (const [cause, names] of cases) {
      expect(names, cause).not.toEqual([]);
      for (const name of names) expect([name, exists(name, titles)]).toEqual([name, true]);
    }
  });

  it("would notice a test that was renamed", async () => {
    const titles = await loadTitles();
    expect(exists("a redirect of the authority > at nowhere is never followed", titles)).toBe(
      false,
    );
    expect(exists("a task registration that fails softly > bearer: 500", titles)).toBe(true);
    expect(exists("a task registration that fails softly > bearer: 777", titles)).toBe(false);
  });
});
