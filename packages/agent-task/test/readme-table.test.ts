import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

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
    const source = await readFile(new URL(name, HERE), "utf8");
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

async function loadRows(): Promise<readonly (readonly string[])[]> {
  const readme = await readFile(new URL("../README.md", HERE), "utf8");
  const start = readme.indexOf("| case | the reference does | this does | test |");
  const lines = readme.slice(start).split("\n\n")[0]?.split("\n").slice(2) ?? [];
  return lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("the README's table of cases", () => {
  it("names tests that exist, in every row", async () => {
    const titles = await loadTitles();
    const rows = await loadRows();
    expect(rows.length).toBeGreaterThan(30);
    for (const [cause = "", , , tests = ""] of rows) {
      const names = [...tests.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
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
