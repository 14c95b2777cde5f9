import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runProcess, temporaryDirectory } from "../src/index.js";

const ROOT = join(import.meta.dirname, "../../..");

interface Wall {
  readonly includes: readonly string[];
  readonly linter: {
    rules: {
      style: {
        noRestrictedImports: {
          options: { patterns: readonly { group: readonly string[]; message: string }[] };
        };
      };
    };
  };
}

/** The folders of a wall, and the imports that it forbids there. */
function read(wall: Wall) {
  const folders = wall.includes
    .filter((pattern) => !pattern.startsWith("!"))
    .map((pattern) => pattern.replace(/\/\*\*$/, ""));
  const { patterns } = wall.linter.rules.style.noRestrictedImports.options;
  const imports = patterns
    .flatMap(({ group }) => group)
    .map((pattern) => pattern.replace(/^\*\*/, "..").replace(/\*\*$/, "file.js"));
  return { folders, imports };
}

test("every wall stands around a folder that is there, and refuses each import that it forbids", async () => {
  const { overrides } = JSON.parse(await readFile(join(ROOT, "biome.walls.json"), "utf8"));
  const walls = (overrides as Wall[]).map(read);
  expect(walls.length).toBeGreaterThan(0);
  const { path: root, remove } = await temporaryDirectory();
  onTestFinished(remove);
  await cp(join(ROOT, "biome.walls.json"), join(root, "biome.walls.json"));
  await writeFile(join(root, "biome.json"), `{ "extends": ["./biome.walls.json"] }`);
  const expected: string[] = [];
  for (const { folders, imports } of walls) {
    for (const folder of folders) {
      expect(existsSync(join(ROOT, folder)), folder).toBe(true);
      const file = join(folder, "example.ts");
      await mkdir(dirname(join(root, file)), { recursive: true });
      // Types count too, and a sibling does not.
      const lines = imports.map(
        (name) => `import type {} from ${JSON.stringify(name.replace(/^!/, ""))};`,
      );
      await writeFile(join(root, file), `${lines.join("\n")}\nimport "./sibling.js";\n`);
      // What begins with ! is an exception, and is let through.
      expected.push(
        ...imports.flatMap((name, index) => (name.startsWith("!") ? [] : [`${file}:${index + 1}`])),
      );
    }
  }
  const { stdout } = await runProcess(
    join(ROOT, "node_modules/.bin/biome"),
    [
      "lint",
      "--only=style/noRestrictedImports",
      "--reporter=github",
      "--max-diagnostics=none",
      ".",
    ],
    { cwd: root },
  );
  const found = [...stdout.matchAll(/file=([^,]+),line=(\d+),/g)].map(
    ([, file = "", line]) => `${relative(root, file)}:${line}`,
  );
  expect(found.toSorted()).toEqual(expected.toSorted());
});
