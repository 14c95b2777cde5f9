import { join } from "node:path";
import { runProcess } from "@countersign/testing";
import { expect, test } from "vitest";

const PROGRAM = join(import.meta.dirname, "processes/allocate.ts");

async function youngGenerationMiB(how: "small" | "usual"): Promise<number> {
  const { stdout, stderr } = await runProcess(process.execPath, [PROGRAM, how]);
  expect(stderr).toBe("");
  return Number(stdout);
}

test("the young generation of a proxy's process stays about as small as it starts", async () => {
  expect(await youngGenerationMiB("usual")).toBeGreaterThanOrEqual(8);
  expect(await youngGenerationMiB("small")).toBeLessThanOrEqual(4);
});
