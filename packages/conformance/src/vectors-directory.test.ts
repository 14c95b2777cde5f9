import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { VECTORS_DIRECTORY } from "./vectors-directory.js";

// Vectors are what others check themselves against: they never change without being noticed.
test("the vectors are those that were made, to the byte", async () => {
  const hashes: Record<string, string> = {};
  for (const file of (await readdir(VECTORS_DIRECTORY)).sort()) {
    const bytes = await readFile(new URL(file, VECTORS_DIRECTORY));
    hashes[file] = createHash("sha256").update(bytes).digest("hex");
  }
  expect(hashes).toEqual({
    "agent-registration.json": "e5ac9c9074a29cbb807c18b9d495f9051bacc389802e966f88fe56d6dcd007d1",
    "assertions.json": "26e8f3e48037b7e7e359aad695c6a8198aa1ff8f8e1c4cbe2c1f6d1a3f270dda",
    "codex-0.122.json": "80b6f7936917fb12cfc3f5537941dd7bd044dc6bfa4e0af48a08e3652d09520a",
    "keys.json": "c7ca6b507751fe73e0e4f120aabaff2f6b23cf4a0b410e635ec684fe20f7e741",
    "task-registration.json": "63099b141bf71f56a2e4bfa0c57327f981360948c442eb1cf1d55183fab3f02e",
  });
});
