import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { countersign } from "./command-line.js";
import { freshHome } from "./fresh-home.js";

const PRELOADED = pathToFileURL(join(import.meta.dirname, "processes/allocate-at-exit.ts"));

async function semiSpaceMiB(command: string): Promise<number> {
  const { home } = await freshHome();
  const env = { NODE_OPTIONS: `--import=${PRELOADED}` };
  const { stderr } = await countersign([command], { home, env });
  return Number(/^young generation (\d+)/m.exec(stderr)?.[1]);
}

test.each(["gateway", "authorize", "proxy"])(
  "the young generation of %s stays about as small as it starts",
  async (command) => {
    expect(await semiSpaceMiB(command)).toBeLessThanOrEqual(4);
  },
);

test("other commands keep Node's own setting", async () => {
  expect(await semiSpaceMiB("status")).toBeGreaterThanOrEqual(8);
});
