import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { VECTORS_DIRECTORY } from "./vectors-directory.js";

// Vectors are what others check themselves against: they never change without being noticed.
test("the vectors are those that were made, to the byte", async () => {
  const hashes: Record<string, string> = {};
  const names = (await readdir(VECTORS_DIRECTORY)).filter((name) => name.endsWith(".json"));
  for (const file of names.sort()) {
    const bytes = await readFile(new URL(file, VECTORS_DIRECTORY));
    hashes[file] = createHash("sha256").update(bytes).digest("hex");
  }
  expect(hashes).toEqual({
    "agent-registration.json": "e5ac9c9074a29cbb807c18b9d495f9051bacc389802e966f88fe56d6dcd007d1",
    "answers.json": "e90dde856a9872ddf37c75550e7591947945255527a76dfdc521c263ab5bb38b",
    "assertions.json": "26e8f3e48037b7e7e359aad695c6a8198aa1ff8f8e1c4cbe2c1f6d1a3f270dda",
    "codex-0.122.json": "80b6f7936917fb12cfc3f5537941dd7bd044dc6bfa4e0af48a08e3652d09520a",
    "derivations.json": "b9170bdc16cd16e6cc326090b9a527bf03eb14e01773d7e2c625dff4c573b64c",
    "directory.json": "a8bdefa6c3f04bcecbad2cd5d929d0fcab22bf34de7d5c1ba682682b61110572",
    "identity-jwt.json": "0688feeb627911d39676fb64295c9421170bcc51ac687ba5d414737703c70b79",
    "key-rotation.json": "eeca9a610edcd69c9f634b1b489f8f19ac9c354364975d05c124c9c74449f413",
    "keys.json": "c7ca6b507751fe73e0e4f120aabaff2f6b23cf4a0b410e635ec684fe20f7e741",
    "more-keys.json": "5c5140d31e7b95196421a66d41dc9674de27cd8c66ef9e81bfb40e438ec7791e",
    "refusals.json": "53c70b7377779917477d4fb94a31b5662171566ad47d9ca6e35e758e2855b21f",
    "registration-proof.json": "157caa3e38e574b3dbed0cbc928858c71b572de46b583f492b71572e96dfa0bb",
    "registration-requests.json":
      "f405281c569b902ca5900703134707621ad5196235734ac2c4ef5648e893ca18",
    "requests.json": "d672f9284c768c35624e4b7144241a94f1da9723bc4322a57f4dab5555b1b558",
    "task-registration.json": "63099b141bf71f56a2e4bfa0c57327f981360948c442eb1cf1d55183fab3f02e",
  });
});
