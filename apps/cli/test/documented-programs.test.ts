import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { documentedCommands, unknownWords } from "./documented-commands.js";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const find = (...patterns: string[]): string[] =>
  globSync(patterns, { cwd: ROOT, exclude: (path) => /(?:^|\/)(?:node_modules|dist)$/.test(path) });

const COMMANDS = "each command and option is looked up in the program, below";
const FIRST_MINUTES = "run from packed packages: packages/testing/checks/first-minutes.ts";
const ITS_README = "run: readme-example.test.ts";

/** How the shell blocks are checked that are no example of their own, by document and in their order there. Install lines are left out. */
const SHELL: Readonly<Record<string, readonly string[]>> = {
  "README.md": [...Array.from({ length: 5 }, () => FIRST_MINUTES), COMMANDS],
  "apps/cli/README.md": [ITS_README, ITS_README],
  "docs/clients.md": [COMMANDS, COMMANDS],
  "docs/oidc.md": [COMMANDS],
  // More than commands: Docker, systemd and PostgreSQL, which the tests do not start. The files that they are given are checked.
  "docs/operating/README.md": Array.from(
    { length: 8 },
    () => `${COMMANDS}; operating-files.test.ts`,
  ),
  "packages/agent/README.md": ["run: readme.test.ts"],
};

interface Program {
  readonly document: string;
  readonly language: string;
  readonly text: string;
}

const DOCUMENTS = find("README.md", "apps/*/README.md", "packages/*/README.md", "docs/**/*.md");
const PROGRAMS: readonly Program[] = DOCUMENTS.sort().flatMap((document) =>
  [...read(document).matchAll(/^```(ts|mts|js|sh|bash|py)\n(.*?)^```$/gms)].map(
    ([, language = "", text = ""]) => ({ document, language, text }),
  ),
);

const EXAMPLES = find("{apps,packages}/*/test/examples/*");
/** An example as its reader sees it, who stands outside of the package. */
const shown = new Map(EXAMPLES.map((path) => [path, withoutSources(path, read(path)).trim()]));

function withoutSources(path: string, text: string): string {
  const manifest = join(dirname(path), "../../package.json");
  const { name } = JSON.parse(read(manifest));
  return text
    .replaceAll('"../../src/index.js"', `"${name}"`)
    .replaceAll(/"\.\.\/\.\.\/src\/(.+)\.js"/g, `"${name}/$1"`);
}

function exampleOf({ text }: Program): string | undefined {
  return EXAMPLES.find((path) => shown.get(path) === text.trim());
}

const isInstall = ({ text }: Program): boolean => /^npm (?:install|init) \S[^\n]*\n$/.test(text);
const withoutExample = PROGRAMS.filter((program) => exampleOf(program) === undefined);

test("every program in TypeScript or Python is an example that is compiled or run", () => {
  expect(PROGRAMS.length).toBeGreaterThan(50);
  const others = withoutExample.filter(({ language }) => !/^(?:sh|bash)$/.test(language));
  expect(others).toEqual([]);
});

test("every shell block is an example, an install line, or said how it is checked", () => {
  const others = withoutExample.filter(
    (program) => /^(?:sh|bash)$/.test(program.language) && !isInstall(program),
  );
  const counts = Object.groupBy(others, ({ document }) => document);
  const found = Object.entries(counts).map(([document, blocks]) => [document, blocks?.length]);
  const named = Object.entries(SHELL).map(([document, checks]) => [document, checks.length]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(named));
});

test("every command of countersign in a shell block is one of this program", () => {
  const lines = PROGRAMS.filter(({ language }) => /^(?:sh|bash)$/.test(language)).flatMap(
    ({ text }) => documentedCommands(text),
  );
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.flatMap(unknownWords)).toEqual([]);
});

test("what is named as a check is there", () => {
  const names = [...Object.values(SHELL).flat(), ...Object.values(COMPILED)].flatMap(
    (how) => how.match(/[\w./-]+\.ts\b/g) ?? [],
  );
  expect(names.length).toBeGreaterThan(0);
  const paths = find("{apps,packages}/*/{test,checks}/*.ts");
  expect(
    names.filter((name) => !paths.some((path) => path.endsWith(`/${basename(name)}`))),
  ).toEqual([]);
});

/** Examples that no test runs, and why. They are compiled with the tests of their package. */
const COMPILED: Readonly<Record<string, string>> = {
  "packages/assertion-proxy/test/examples/gateway.ts":
    "names hosts that are not there, and a fixed port; what it makes is run: start-gateway.ts",
  "packages/assertion-proxy/test/examples/operations.ts":
    "listens on fixed ports; what it puts together is run: operations.test.ts",
  "packages/assertion-proxy/test/examples/signing-proxy.ts":
    "names a host that is not there, and a fixed port; what it makes is run: start-signing-proxy.ts",
};

test("every example of a document is run by a test, or said why not", () => {
  const examples = new Set(PROGRAMS.map(exampleOf).filter((path) => path !== undefined));
  const notRun = [...examples].filter((path) => {
    const tests = find(`${dirname(dirname(path))}/**/*.ts`, "apps/cli/interop/**/*.ts");
    const name = basename(path).replace(/\.\w+$/, "");
    const runs = [`examples/${name}.`, `"${basename(path)}"`, `/${basename(path)}\``];
    return !tests.some((file) => file !== path && runs.some((text) => read(file).includes(text)));
  });
  expect(notRun.sort()).toEqual(Object.keys(COMPILED).sort());
});
