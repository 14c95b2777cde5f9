import { expect, onTestFinished, test, vi } from "vitest";
import { createLog } from "./log.js";

const SECRET = "qNzPb5yY2mF3xR8tV1wK7sJ4hD6gL0aE9cU1iO2uT5k";

/** What a terminal shows of a log. */
function shownBy(use: (log: ReturnType<typeof createLog>) => void): string {
  const { stderr } = process;
  const shown: string[] = [];
  const { isTTY } = stderr;
  const write = vi.spyOn(stderr, "write").mockImplementation((text) => {
    shown.push(String(text));
    return true;
  });
  onTestFinished(() => {
    write.mockRestore();
    stderr.isTTY = isTTY;
  });
  stderr.isTTY = true;
  use(createLog({ level: "debug", forPeople: true }));
  return shown.join("");
}

test("no line shows what looks like a credential, in its text, its fields or an error", () => {
  const shown = shownBy((log) => {
    log.info({ path: `/v1/agent/cs_human_${SECRET}`, password: SECRET }, `Bearer ${SECRET}`);
    const cause = new Error(`sk-proj-${SECRET}`);
    log.error({ err: new Error(`cs_rs_${SECRET}`, { cause }) }, "failed");
  });
  expect(shown).toContain("/v1/agent/[hidden]");
  expect(shown).toContain("failed");
  expect(shown).not.toContain(SECRET);
});
