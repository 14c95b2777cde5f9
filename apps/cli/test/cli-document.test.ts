import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandSections } from "./command-sections.js";

const DOCUMENT = join(import.meta.dirname, "../../../docs/cli.md");
const MARKED = /(?<=<!-- command ([a-z ]+) -->\n).*?(?=<!-- \/command -->)/gs;

const sections = commandSections();
const document = await readFile(DOCUMENT, "utf8");

test("docs/cli.md has one section for each command, in the order of --help", () => {
  expect(sections.length).toBeGreaterThan(50);
  const headings = document.split("\n").filter((line) => /^#+ countersign /.test(line));
  expect(headings).toEqual(sections.map(({ heading }) => heading));
  const starts = [...document.matchAll(/^(#+ countersign .*)\n\n<!-- command (.*) -->$/gm)];
  expect(starts.map(([, heading, path]) => ({ heading, path }))).toEqual(
    sections.map(({ heading, path }) => ({ heading, path })),
  );
});

// `vitest run test/cli-document.test.ts --update` writes the sections.
test("docs/cli.md says of each command what its definition says", async () => {
  const texts = new Map(sections.map(({ path, text }) => [path, text]));
  const written = document.replace(MARKED, (_, path: string) => `\n${texts.get(path)}\n\n`);
  await expect(written).toMatchFileSnapshot(DOCUMENT);
});
