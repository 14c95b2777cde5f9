import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const EXAMPLES = new URL("./examples/", import.meta.url);
const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test.each(await readdir(EXAMPLES))(
  "the README shows %s as the compiler checks it",
  async (file) => {
    const program = await readFile(new URL(file, EXAMPLES), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${program}\`\`\``);
  },
);
