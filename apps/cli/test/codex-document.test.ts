import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CODEX_RELEASES } from "../interop/codex-binary.ts";
import { CODEX_CELLS, nameOf, TROUBLES, TURNS } from "../interop/codex-cells.ts";
import { CODEX_GAPS } from "../interop/codex-gaps.ts";
import { CODEX_WAYS } from "../interop/codex-ways.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DOCUMENT = await readFile(join(ROOT, "docs/codex.md"), "utf8");

// The cells below each heading of the table whose first row has these headings.
function tableOf(...headings: readonly string[]): string[][] {
  const rows = (text: string) =>
    text.split("\n").map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((it) => it.trim()),
    );
  const table = DOCUMENT.split("\n\n")
    .map(rows)
    .find(([first]) => headings.every((heading) => first?.includes(heading)));
  if (table === undefined) throw new Error(`no table with ${headings.join(", ")}`);
  return table.filter(([, second]) => second !== "---");
}

test("the table of docs/codex.md says works of each version and way that pnpm interop runs, and does not work of each other one", () => {
  const [[, ...ways] = [], ...versions] = tableOf("flag", "JWT", "proxy");
  const said = versions.flatMap(([version = "", ...cells]) =>
    cells.map((cell, index) => {
      const name = `${version.split(" ")[0]} ${ways[index]?.toLowerCase()}`;
      return [name, cell.startsWith("[works](#")];
    }),
  );
  const run = [
    ...CODEX_CELLS.map((cell) => [nameOf(cell), true]),
    ...CODEX_GAPS.map((gap) => [nameOf(gap), false]),
  ];
  expect(said.toSorted()).toEqual(run.toSorted());
  expect(said).toHaveLength(CODEX_RELEASES.length * CODEX_WAYS.length);
});

test("docs/codex.md counts the agents and tasks that pnpm interop sees registered", () => {
  const [[, ...names] = [], ...rows] = tableOf("0.122 flag", "0.171 proxy");
  expect(names.toSorted()).toEqual(CODEX_CELLS.map(nameOf).toSorted());
  const said = rows.map(([turn, ...cells]) => [
    turn,
    Object.fromEntries(cells.map((cell, index) => [names[index], cell])),
  ]);
  const expected = TURNS.map((turn) => [
    turn,
    Object.fromEntries(CODEX_CELLS.map((cell) => [nameOf(cell), cell.registers[turn].join(" + ")])),
  ]);
  expect(said).toEqual(expected);
});

test("docs/codex.md repeats what pnpm interop sees the user told", () => {
  const [, ...rows] = tableOf("task revoked in a run", "agent revoked");
  const expected = CODEX_CELLS.map((cell) => [
    nameOf(cell),
    ...TROUBLES.map((trouble) => cell.troubles[trouble].told),
  ]);
  expect(rows.toSorted()).toEqual(expected.toSorted());
});

// `pnpm interop` runs these files.
for (const [name, language] of [
  ["codex-flag.sh", "sh"],
  ["codex-jwt.sh", "sh"],
  ["codex-proxy.sh", "sh"],
  ["codex-child.sh", "sh"],
  ["codex.toml", "toml"],
  ["codex-identity-jwt.toml", "toml"],
] as const) {
  test(`docs/codex.md shows ${name} as pnpm interop runs it`, async () => {
    const example = await readFile(join(ROOT, "examples/codex", name), "utf8");
    expect(DOCUMENT).toContain(`\`\`\`${language}\n${example}\`\`\`\n`);
  });
}
