import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type DocumentedProgram, findFiles, readDocumentedPrograms } from "@countersign/testing";
import { expect, test } from "vitest";
import { documentedCommands, unknownWords } from "./documented-commands.js";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const find = (...patterns: string[]) => findFiles(ROOT, patterns);

const COMMANDS = "each command and option is looked up in the program, below";
const FIRST_MINUTES = "run from packed packages: packages/testing/checks/first-minutes.ts";
const ITS_README = "run: readme-example.test.ts";

/** How the shell blocks are checked that are no example of their own, by document and in their order there. Install lines are left out. */
const SHELL: Readonly<Record<string, readonly string[]>> = {
  "README.md": [...Array.from({ length: 5 }, () => FIRST_MINUTES), COMMANDS],
  "apps/cli/README.md": [ITS_README, ITS_README],
  "docs/authorize.md": [COMMANDS, COMMANDS],
  "docs/clients.md": [COMMANDS, COMMANDS],
  "docs/oidc.md": [COMMANDS],
  // More than commands: Docker, systemd and PostgreSQL, which the tests do not start. The files that they are given are checked.
  "docs/operating/README.md": Array.from(
    { length: 9 },
    () => `${COMMANDS}; operating-files.test.ts`,
  ),
  "docs/operating/gateway.md": [
    `${COMMANDS}; operating-files.test.ts`,
    `${COMMANDS}; kubernetes.test.ts`,
  ],
  "packages/agent/README.md": ["run: readme.test.ts"],
  "packages/ai/README.md": [COMMANDS],
};

const PROGRAMS = readDocumentedPrograms(ROOT);

const isInstall = ({ text }: DocumentedProgram): boolean =>
  /^npm (?:install|init) \S[^\n]*\n$/.test(text);
const withoutExample = PROGRAMS.filter(({ example }) => example === undefined);

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
  const names = Object.values(SHELL)
    .flat()
    .flatMap((how) => how.match(/[\w./-]+\.ts\b/g) ?? []);
  expect(names.length).toBeGreaterThan(0);
  const paths = find("{apps,packages}/*/{test,checks}/*.ts");
  expect(
    names.filter((name) => !paths.some((path) => path.endsWith(`/${basename(name)}`))),
  ).toEqual([]);
});

/** Examples that listen on fixed ports: `pnpm first-minutes` alone runs them, from packed packages and with free ports. */
const ON_FIXED_PORTS = ["gateway/gateway", "gateway/operations", "proxy/signing-proxy"].map(
  (name) => `examples/${name}.ts`,
);

const TESTS = find(
  "examples/test/*.ts",
  "apps/cli/interop/**/*.ts",
  "apps/cli/test/readme.test.ts",
).map(read);

test("every example of a document is run by a test", () => {
  const examples = new Set(
    PROGRAMS.map(({ example }) => example).filter((path) => path !== undefined),
  );
  const notRun = [...examples].filter((path) => {
    const folder = basename(dirname(path));
    const name = basename(path).replace(/\.\w+$/, "");
    const runs = [`/${folder}/${name}.`, `"${basename(path)}"`, `/${basename(path)}\``];
    return !TESTS.some((text) => runs.some((run) => text.includes(run)));
  });
  expect(notRun.sort()).toEqual(ON_FIXED_PORTS);
});
