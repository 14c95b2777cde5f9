import { readdir, readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");

async function documents(): Promise<string[]> {
  const packages = await readdir(join(ROOT, "packages"));
  const readmes = packages.map((name) => `packages/${name}/README.md`);
  const pages = await readdir(join(ROOT, "docs"), { recursive: true });
  const docs = pages.filter((path) => path.endsWith(".md")).map((path) => `docs/${path}`);
  const all = ["README.md", "apps/cli/README.md", ...docs, ...readmes];
  const texts = await Promise.all(
    all.map((path) => readFile(join(ROOT, path), "utf8").catch(() => undefined)),
  );
  return all.filter((_, index) => texts[index]?.includes("```ts") === true);
}

/** The packages that the programs of a document import. */
function importedPackages(text: string): Set<string> {
  const programs = [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(([, program = ""]) => program);
  const imports = programs.flatMap((program) => [
    ...program.matchAll(/(?:from |import\(|^import )"([^".][^"]*)"/gm),
  ]);
  const names = imports.map(([, specifier = ""]) => {
    const [scope = "", name = ""] = specifier.split("/");
    return scope.startsWith("@") ? `${scope}/${name}` : scope;
  });
  return new Set(names.filter((name) => !isBuiltin(name)));
}

/** The packages that the document's reader is told to install. */
function installedPackages(text: string): Set<string> {
  const lines = [...text.matchAll(/npm install ([^`\n#]*)/g)];
  return new Set(lines.flatMap(([, names = ""]) => names.trim().split(/\s+/)));
}

for (const path of await documents()) {
  test(`${path} names every package that its programs import in an install line: pnpm and Plug'n'Play give no others`, async () => {
    const text = await readFile(join(ROOT, path), "utf8");
    const imported = importedPackages(text);
    expect(imported.size).toBeGreaterThan(0);
    const installed = installedPackages(text);
    expect([...imported].filter((name) => !installed.has(name))).toEqual([]);
  });
}
