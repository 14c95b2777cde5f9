import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("the README shows the program that the compiler checks", async () => {
  const [readme, program] = await Promise.all([
    readFile(new URL("../README.md", import.meta.url), "utf8"),
    readFile(new URL("./examples/gateway.ts", import.meta.url), "utf8"),
  ]);
  expect(readme).toContain(`\`\`\`ts\n${program}\`\`\``);
});
