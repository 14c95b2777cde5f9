import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const folders = globSync("{examples,{packages,apps}/*}/package.json", { cwd: ROOT })
  .map(dirname)
  .sort();

// `npm run check` fails where a package has the script and no test for it, and runs no test where it is the other way round.
test("a package has the script test:unit exactly if it has tests beside its source", () => {
  expect(folders.length).toBeGreaterThan(15);
  const named = folders.filter(
    (folder) =>
      JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")).scripts?.["test:unit"],
  );
  const tested = folders.filter(
    (folder) => globSync("src/**/*.test.ts", { cwd: join(ROOT, folder) }).length > 0,
  );
  expect(named).toEqual(tested);
});
