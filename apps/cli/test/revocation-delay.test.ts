import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { REVOCATION_DELAY_SECONDS } from "@countersign/agent-assertion";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const { default: usual, most } = REVOCATION_DELAY_SECONDS;

/** Where the delay is written down for readers, with what stands there. */
const WRITTEN: readonly (readonly [file: string, text: string])[] = [
  ["docs/guarantees.md", `revocation delay, ${usual} s by default and ${most} s at most`],
  ["docs/guarantees.md", `looked at again every ${usual} s`],
  ["docs/protocol.md", `fresh* for the revocation delay: at most ${most} s, ${usual} s by default`],
  ["docs/cli.md", `0s to ${most}s (default ${usual}s)`],
  ["docs/operating/README.md", `\`--revocation-delay\` (${usual} s by default)`],
  ["docs/mcp.md", `\`recheckMs\` (${usual} s)`],
  ["docs/verifying.md", `\`recheckMs\` (1 to ${most},000, default ${usual},000 ms)`],
  ["docs/verifying.md", `\`revocationDelaySeconds\` (${usual} s at most)`],
  ["docs/verifying.md", `\`revocationDelaySeconds\` (${usual} s)`],
  [
    "packages/agent-assertion/README.md",
    `\`revocationDelaySeconds\` | s, 0 to ${most} | ${usual} |`,
  ],
  ["packages/assertion-proxy/README.md", `\`recheckMs\` | ${usual},000 | 1 to ${most},000 |`],
  [
    "packages/agent-assertion/src/directory/remote-directory.ts",
    `seconds. 0 to ${most}. Default ${usual}. A revocation`,
  ],
  [
    "packages/agent-assertion/src/directory/remote-directory.ts",
    `\`revocationDelaySeconds\` (${usual} s at most)`,
  ],
  [
    "packages/assertion-proxy/src/gateway/verifying-gateway.ts",
    `1 to ${most},000, default ${usual},000`,
  ],
  ["apps/cli/src/program/server-commands.ts", `0s to ${most}s (default ${usual}s)`],
];

describe("the revocation delay is written as the verifiers have it:", () => {
  test.each(WRITTEN)("%s: %s", async (file, text) => {
    expect(await readFile(join(ROOT, file), "utf8")).toContain(text);
  });
});

test("no document writes the revocation delay elsewhere", async () => {
  const others: string[] = [];
  let lines = 0;
  for (const pattern of ["*.md", "docs/**/*.md", "packages/*/README.md", "apps/*/README.md"]) {
    for await (const file of glob(pattern, { cwd: ROOT })) {
      const known = WRITTEN.flatMap(([of, text]) => (of === file ? [text] : []));
      for (const line of (await readFile(join(ROOT, file), "utf8")).split("\n")) {
        const rest = known.reduce((left, text) => left.replaceAll(text, ""), line);
        lines += rest === line ? 0 : 1;
        if (/(?:revocation.?delay|recheckMs)[^.;"]{0,40}\b\d+ ?m?s\b/i.test(rest)) {
          others.push(`${file}: ${line}`);
        }
      }
    }
  }
  expect(others).toEqual([]);
  expect(lines).toBeGreaterThan(7);
});
