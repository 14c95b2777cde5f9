import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CODES, codeRow, meaningOfCode } from "../src/codes.js";

const DOCUMENT = join(import.meta.dirname, "../../../docs/protocol.md");
const MARKED = /(?<=<!-- codes -->\n).*?(?=<!-- \/codes -->)/s;

const WORDS = {
  verifier: "verifier",
  server: "server",
  self: "itself",
  hand_up: "–",
  new_task: "new task",
  correct_time: "corrects its time",
  follow_rotation: "follows a rotation",
  replace_agent: "replaces the agent",
  renew_agent: "renews the agent",
} as const;

function formatTable(): string {
  const head = [
    "| code | is given if | by | HTTP | on an assertion | at a registration | fallback | exit |",
    "|---|---|---|---|---|---|---|---|",
  ];
  const rows = CODES.map((code) => {
    const row = codeRow(code);
    const done = [row.onAssertion, row.onRegistration].map((action) => WORDS[action]);
    const fallback = row.allowsFallback ? "yes" : "–";
    const cells = [
      `\`${code}\``,
      meaningOfCode(code),
      WORDS[row.givenBy],
      row.status,
      ...done,
      fallback,
    ];
    return `| ${[...cells, row.exitCode].join(" | ")} |`;
  });
  return `\n${[...head, ...rows].join("\n")}\n\n`;
}

// `vitest run test/protocol-document.test.ts --update` writes the table.
test("protocol.md §9 has one row for each code, with what the program does", async () => {
  const document = await readFile(DOCUMENT, "utf8");
  expect(document).toMatch(MARKED);
  await expect(document.replace(MARKED, formatTable)).toMatchFileSnapshot(DOCUMENT);
});
