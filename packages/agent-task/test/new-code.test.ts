import { CODE_ROWS, type Code } from "@countersign/agent-key/codes";
import { expect, test } from "vitest";
import { startWorld } from "./world.js";

// A row as a later version has it; this program has no other word of the code.
const { task_revoked: whole } = CODE_ROWS;
const code = "task_paused" as Code;
Object.assign(CODE_ROWS, { [code]: whole });

test("a client recovers from a code that only a row makes known", async () => {
  const world = await startWorld();
  const thread = world.tasks().thread("thread-1");
  const first = await thread.credential();
  const next = await thread.refused(first, { code, origin: "https://api.example" });
  expect(next).toMatchObject({ kind: "agent" });
  expect(next).not.toEqual(first);
});
