import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const DOCUMENT = join(import.meta.dirname, "../../../docs/clients.md");
const EXAMPLES = join(import.meta.dirname, "examples");

// `pnpm interop` runs these files.
for (const [name, language] of [
  ["openai-client.ts", "ts"],
  ["curl.sh", "sh"],
  ["urllib-client.py", "py"],
] as const) {
  test(`docs/clients.md shows ${name} as pnpm interop runs it`, async () => {
    const document = await readFile(DOCUMENT, "utf8");
    const example = await readFile(join(EXAMPLES, name), "utf8");
    expect(document).toContain(`\`\`\`${language}\n${example}\`\`\`\n`);
  });
}
