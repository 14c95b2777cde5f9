import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const EXAMPLES = new URL("./examples/", import.meta.url);
const SHOWN: Readonly<Record<string, string>> = {
  gateway: "../README.md",
  operations: "../../../docs/gateway.md",
  "signing-proxy": "../README.md",
};

test("each example has its document", async () => {
  const files = await readdir(EXAMPLES);
  expect(files.sort()).toEqual(Object.keys(SHOWN).map((name) => `${name}.ts`));
});

test.each(Object.entries(SHOWN))(
  "%s is shown as the compiler checks it by %s",
  async (name, path) => {
    const program = await readFile(new URL(`${name}.ts`, EXAMPLES), "utf8");
    const document = await readFile(new URL(path, import.meta.url), "utf8");
    expect(document).toContain(`\`\`\`ts\n${program}\`\`\``);
  },
);
