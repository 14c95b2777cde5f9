import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runProcess, temporaryDirectory } from "../src/index.js";

const PROGRAM = join(import.meta.dirname, "../checks/api-reports.ts");

test("a removed export, a changed one, a changed type behind one, a new one and a removed entry fail with their difference, and pass once they are accepted", async () => {
  const { path: root, remove } = await temporaryDirectory();
  onTestFinished(remove);
  const check = (...args: string[]) =>
    runProcess(process.execPath, [PROGRAM, "--root", root, ...args]);
  await writePackage(root, {
    ".": `import type { Kind } from "./kind.js";
/** Measures. */
export declare function measure(text: string): number;
export declare function weigh(text: string): Kind;
export declare const LIMIT: 7;
`,
    "./paint": "export declare function paint(): void;\n",
  });
  await writeKind(root, `export type Kind = "light" | "heavy";`);
  expect(await check("--accept")).toMatchObject({ code: 0, stderr: "" });
  const reports = join(root, "packages/shape/api");
  expect(await readFile(join(reports, "index.api.md"), "utf8")).toBe(`# @example/shape

\`\`\`ts
type Kind = "light" | "heavy";

export const LIMIT: 7;

export function measure(text: string): number;

export function weigh(text: string): Kind;
\`\`\`
`);

  await writePackage(root, {
    ".": `import type { Kind } from "./kind.js";
export declare function measure(text: string, unit: string): number;
/** A docstring changes nothing. */
export declare function weigh(text: string): Kind;
export declare const LEAST: 1;
`,
  });
  await writeKind(root, `export type Kind = "light";`);
  const { code, stdout } = await check();
  expect(code).toBe(1);
  const changes = stdout.split("\n").filter((line) => /^[-+]/.test(line));
  expect(changes).toEqual([
    "--- packages/shape/api/index.api.md\tcommitted",
    "+++ packages/shape/api/index.api.md\tbuilt",
    `-type Kind = "light" | "heavy";`,
    `+type Kind = "light";`,
    "-export const LIMIT: 7;",
    "+export const LEAST: 1;",
    "-export function measure(text: string): number;",
    "+export function measure(text: string, unit: string): number;",
    "--- packages/shape/api/paint.api.md\tcommitted",
    "+++ packages/shape/api/paint.api.md\tbuilt",
    "-# @example/shape/paint",
    "-",
    "-```ts",
    "-export function paint(): void;",
    "-```",
  ]);
  expect(stdout).toContain("pnpm api:accept");
  expect(stdout).toMatch(/: 0 passed, 2 failed\n$/);

  expect(await check("--accept")).toMatchObject({ code: 0, stderr: "" });
  expect(await check()).toMatchObject({ code: 0, stdout: "api reports: 1 passed, 0 failed\n" });
});

test("an entry that is not built fails, and nothing is accepted", async () => {
  const { path: root, remove } = await temporaryDirectory();
  onTestFinished(remove);
  await writePackage(root, { ".": "" });
  await rm(join(root, "packages/shape/dist/index.d.ts"));
  const result = await runProcess(process.execPath, [PROGRAM, "--root", root, "--accept"]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("dist/index.d.ts");
  await expect(readFile(join(root, "packages/shape/api/index.api.md"))).rejects.toThrow("ENOENT");
});

/** Writes a repository of one built package, whose entries have these declarations. */
async function writePackage(root: string, entries: Readonly<Record<string, string>>) {
  const folder = join(root, "packages/shape");
  await rm(join(folder, "dist"), { recursive: true, force: true });
  await mkdir(join(folder, "dist"), { recursive: true });
  const targets: Record<string, { types: string }> = {};
  for (const [subpath, declarations] of Object.entries(entries)) {
    const file = `./dist/${subpath === "." ? "index" : subpath.slice(2)}.d.ts`;
    targets[subpath] = { types: file };
    await writeFile(join(folder, file), declarations);
  }
  const manifest = { name: "@example/shape", type: "module", exports: targets };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const compilerOptions = { target: "es2024", lib: ["es2024"], module: "nodenext", types: [] };
  await writeFile(join(root, "tsconfig.base.json"), JSON.stringify({ compilerOptions }));
}

const writeKind = (root: string, text: string) =>
  writeFile(join(root, "packages/shape/dist/kind.d.ts"), `${text}\n`);
