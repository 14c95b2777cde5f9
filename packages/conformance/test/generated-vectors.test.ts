import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { VECTORS_DIRECTORY } from "../src/vectors-directory.js";
import { VECTOR_FILES } from "./generate/vector-files.js";

// `vitest run test/generated-vectors.test.ts --update` writes them.
test.each(Object.entries(VECTOR_FILES))("%s is what its generator gives", async (name, content) => {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(fileURLToPath(new URL(name, VECTORS_DIRECTORY)));
});
