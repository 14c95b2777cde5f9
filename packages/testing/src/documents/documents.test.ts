import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorsOf, deadLinks, missingDocuments } from "../../checks/documents/dead-links.ts";
import { readDocuments, readSources } from "../../checks/documents/documents.ts";
import { longCells } from "../../checks/documents/long-cells.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const documents = readDocuments();
// It names documents that are not there.
const HERE = "documents/documents.test.ts";

test("no document has a table cell over 200 characters", () => {
  expect(documents.length).toBeGreaterThan(20);
  const found = documents.filter((document) => longCells(document).length > 0);
  expect(found.map(({ path }) => path)).toEqual([]);
});

test("no README of a package is longer than 9 KiB", () => {
  const readmes = documents.filter(({ path }) => path.startsWith("packages/"));
  expect(readmes.length).toBeGreaterThan(10);
  const long = readmes.filter(({ text }) => Buffer.byteLength(text) > 9 * 1024);
  expect(long.map(({ path }) => path)).toEqual([]);
});

test("no link of a document leads nowhere", () => {
  expect(documents.flatMap((it) => deadLinks(it, documents, ROOT))).toEqual([]);
});

test("no document that a text or the source names is missing", () => {
  const texts = [...documents, ...readSources().filter(({ path }) => !path.endsWith(HERE))];
  expect(texts.length).toBeGreaterThan(500);
  expect(texts.flatMap((it) => missingDocuments(it, documents, ROOT))).toEqual([]);
});

describe("a table cell is too long", () => {
  const row = (length: number) => `| a | ${"x".repeat(length)} |`;

  test("with 201 characters, not with 200", () => {
    expect(longCells({ text: `${row(200)}\n${row(201)}` })).toEqual([{ line: 2, length: 201 }]);
  });

  test("also if it holds an escaped bar", () => {
    const text = `| ${"x".repeat(150)}\\|${"x".repeat(150)} |`;
    expect(longCells({ text })).toEqual([{ line: 1, length: 302 }]);
  });

  test("not in a fenced block", () => {
    expect(longCells({ text: `\`\`\`text\n${row(300)}\n\`\`\`\n` })).toEqual([]);
  });
});

describe("a link leads nowhere", () => {
  const other = { path: "docs/cli.md", text: "# A\n## `b` and [c](d.md)\n## A\n" };
  const dead = (text: string) => {
    const document = { path: "README.md", text };
    return deadLinks(document, [document, other], ROOT);
  };

  test.each([
    ["to a file that is not there", "a\n[x](docs/none.md)", "README.md:2: docs/none.md"],
    ["to a heading that is not there", "[x](docs/cli.md#d)", "README.md:1: docs/cli.md#d"],
    ["to a heading of its own that is not there", "[x](#d)", "README.md:1: #d"],
    ["outside of the repository", "[x](../a.md)", "README.md:1: ../a.md"],
    ["by a reference", "[x]: docs/none.md", "README.md:1: docs/none.md"],
    ["by an image", '<img src="none.svg">', "README.md:1: none.svg"],
  ])("%s", (_, text, found) => {
    expect(dead(text)).toEqual([found]);
  });

  test.each([
    ["to a file", "[x](docs/cli.md)"],
    ["to a heading", "[x](docs/cli.md#b-and-c)"],
    ["to the second heading of a name", "[x](docs/cli.md#a-1)"],
    ["to a heading of its own", "# D e\n[x](#d-e)"],
    ["to another host", "[x](https://a.example/none.md#b)"],
    ["in code", "`[x](none.md)`\n```md\n[x](none.md)\n```"],
  ])("not %s", (_, text) => {
    expect(dead(text)).toEqual([]);
  });

  test("named in a text, without its document or heading", () => {
    const text = '"see docs/none.md" (docs/cli.md#d) docs/cli.md#a https://a.example/docs/x.md';
    expect(missingDocuments({ path: "a.ts", text }, [other], ROOT)).toEqual([
      "a.ts: docs/none.md",
      "a.ts: docs/cli.md#d",
    ]);
  });
});

test("headings have the anchors of GitHub", () => {
  const text =
    "# One, two: `three_four`\n## Node's – way\n```\n# no\n```\n# One, two: `three_four`";
  expect([...anchorsOf(text)]).toEqual([
    "one-two-three_four",
    "nodes--way",
    "one-two-three_four-1",
  ]);
});
