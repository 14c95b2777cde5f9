import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { contentOf, countersign, json } from "./command-line.js";

// Side by side, because each waits for a deadline of its fifth step.
describe.concurrent("countersign demo", () => {
  test("the demo verifies each step and ends with the list of them", {
    timeout: 60_000,
  }, async () => {
    await using folder = await temporaryDirectory();
    const env = { TMPDIR: folder.path };
    const result = await countersign(["demo"], { home: join(folder.path, "home"), env });
    expect(result, result.stderr).toMatchObject({ code: 0, stderr: "" });
    const lines = result.stdout.trimEnd().split("\n");
    const [, steps = "0"] = /^All (\d+) steps verified:$/.exec(lines.at(-9) ?? "") ?? [];
    expect(Number(steps)).toBe(8);
    expect(lines.slice(-8).every((line) => line.startsWith("✓ "))).toBe(true);
    // Neither its home nor its temporary folder is left.
    expect(contentOf(folder.path)).toEqual({});
  });

  test("with --json the demo is one document", { timeout: 60_000 }, async () => {
    await using folder = await temporaryDirectory();
    const env = { TMPDIR: folder.path };
    const document = await json(["demo"], { home: join(folder.path, "home"), env });
    expect(document).toMatchObject({ verified: 8, steps: { length: 8 } });
  });
});
