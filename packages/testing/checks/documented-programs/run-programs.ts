import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type DocumentedProgram, readDocumentedPrograms } from "@countersign/testing";
import { Reader } from "../first-minutes/reader.ts";
import { environmentOf, nameRegistry } from "../first-minutes/user-folder.ts";
import { startModelApi } from "./model-api.ts";
import { NOT_RUN } from "./not-run.ts";

const DRIVERS = join(import.meta.dirname, "drivers");
// What compiles the programs, and what it wants besides what they import.
const COMPILER = ["typescript", "@types/node", "@types/express", "@types/koa", "@types/ws", "rxjs"];
const SHARED = ["listen.mjs", "open-thread.mjs"];
const FIXED_PORT = /(?<=\bport: )\d{4}\b/g;

type Example = DocumentedProgram & { readonly example: string };
type Groups = ReadonlyMap<string, readonly Example[]>;

/** Does one check, and counts it by its name. The work gives what to say of it. */
export type Count = (name: string, work: () => Promise<string>) => Promise<void>;

/**
 * Runs the programs of all documents as their readers have them: in a folder of their own, with the packed packages and what else the programs
 * import, compiled by TypeScript against the packed types. A driver for each folder of `examples/` calls what its programs export; what has none is in NOT_RUN.
 */
export async function runDocumentedPrograms(
  root: string,
  home: string,
  registry: string,
  count: Count,
): Promise<void> {
  const folder = join(home, "programs");
  mkdirSync(folder, { recursive: true });
  const env = environmentOf(home);
  await using reader = new Reader(folder, {
    ...env,
    PATH: `${join(folder, "node_modules/.bin")}:${env.PATH}`,
  });
  const run = (script: string) => reader.do({ kind: "run", script });
  const groups = groupPrograms(root);
  let isReady = false;
  await count("documented programs, installed and compiled", async () => {
    nameRegistry(folder, registry);
    const names = writePrograms(root, folder, groups);
    await run(`pnpm add --prefer-offline --ignore-scripts ${names.join(" ")}`);
    await run("tsc -p .");
    isReady = true;
    return `${[...groups.values()].flat().length} programs with ${names.length} packages`;
  });
  if (!isReady) return;
  await using api = await startModelApi();
  const world = await startWorld(run, join(home, "world"), api.url);
  // In a file: what a failure shows is the script.
  const variables = Object.entries(world).map(([name, value]) => `export ${name}='${value}'\n`);
  writeFileSync(join(folder, "world.sh"), variables.join(""));
  for (const group of groups.keys()) {
    await count(`documented programs of ${group}`, async () => {
      const own = group === "proxy" ? world.HOME : join(home, "homes", group);
      mkdirSync(own, { recursive: true });
      await run(`. ./world.sh; HOME='${own}' node ${group}/driver.mjs`);
      return "run";
    });
  }
}

const COMPILER_OPTIONS = {
  ...{ target: "es2023", module: "nodenext", strict: true, skipLibCheck: true, types: ["node"] },
  ...{ noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
  experimentalDecorators: true,
};

/** @returns the packages to install, each in the version that the workspace has */
function writePrograms(root: string, folder: string, groups: Groups): readonly string[] {
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS }),
  );
  const names = new Set(["@countersign/cli"]);
  for (const [group, examples] of groups) {
    const target = join(folder, group);
    mkdirSync(target);
    cpSync(join(DRIVERS, `${group}.mjs`), join(target, "driver.mjs"));
    for (const name of SHARED) cpSync(join(DRIVERS, name), join(target, name));
    for (const { text, example } of examples) {
      writeFileSync(join(target, basename(example)), text.replace(FIXED_PORT, "0"));
    }
    const sources = [...examples.map(({ text }) => text), readDriver(group)];
    const user = join(root, examples[0]?.example ?? "");
    for (const name of sources.flatMap(importsOf)) names.add(versioned(name, user));
  }
  const user = join(root, "examples/package.json");
  for (const name of COMPILER) names.add(versioned(name, user));
  return [...names];
}

const readDriver = (group: string): string => {
  const file = join(DRIVERS, `${group}.mjs`);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
};

/** The programs that run here, by their folder in `examples/`. */
export function groupPrograms(root: string): Groups {
  const programs = readDocumentedPrograms(root).filter(
    (program): program is Example =>
      program.example !== undefined && NOT_RUN[program.example] === undefined,
  );
  const groups = Map.groupBy(programs, ({ example }) => basename(dirname(example)));
  for (const [group, examples] of groups) {
    const driver = readDriver(group);
    for (const { example, document } of examples) {
      const name = basename(example).replace(/\.ts$/, ".js");
      if (driver.includes(`${name}"`)) continue;
      throw new Error(`${group}.mjs does not run ${example}, which ${document} shows`);
    }
  }
  return groups;
}

/** The packages that a program imports. */
function importsOf(text: string): readonly string[] {
  const specifiers = [...text.matchAll(/(?:from|import\(?) ?"([^"]+)"/g)].map(
    ([, name = ""]) => name,
  );
  const packages = specifiers.filter((name) => !/^(?:\.|node:)/.test(name));
  return packages.map((name) =>
    name
      .split("/")
      .slice(0, name.startsWith("@") ? 2 : 1)
      .join("/"),
  );
}

/** A package in the version that the workspace has, so that a release of somebody else's fails nothing here. */
function versioned(name: string, user: string): string {
  if (name.startsWith("@countersign/")) return name;
  const folders = createRequire(user).resolve.paths(name) ?? [];
  const file = folders.map((folder) => join(folder, name, "package.json")).find(existsSync);
  if (file === undefined) throw new Error(`${user} imports ${name}, which is not installed`);
  return `${name}@${JSON.parse(readFileSync(file, "utf8")).version}`;
}

/** Starts an authority, a gateway before the API, and a signing proxy, by the packed command. */
async function startWorld(run: (script: string) => Promise<string>, home: string, api: string) {
  mkdirSync(home, { recursive: true });
  const at = `HOME=${home} COUNTERSIGN_AUTHORITY_GENERATIONS=A,B,C countersign`;
  const start = async (args: string) => {
    const said = await run(`${at} ${args}`);
    return /http:\/\/\S+/.exec(said)?.[0] ?? "";
  };
  const human = (user: string) => `--account acct-1 --user ${user}`;
  const AUTHORITY = await start("authority serve --listen 127.0.0.1:0");
  const ACCESS_TOKEN = (await run(`${at} authority token create ${human("user-1")}`)).trim();
  const issue = `${at} authority identity issue ${human("user-2")}`;
  const IDENTITY_JWT = (await run(issue)).trim();
  const GATEWAY = await start(
    `gateway --listen 127.0.0.1:0 --upstream ${api} --authority ${AUTHORITY}`,
  );
  const logIn = `countersign login --authority ${AUTHORITY} ${human("user-1")} --token-stdin`;
  await run(`echo '${ACCESS_TOKEN}' | HOME=${home} ${logIn}`);
  await run(`HOME=${home} countersign features enable use_agent_identity`);
  const socket = `--socket ${home}/.countersign/proxy.sock`;
  const PROXY = await start(`proxy --listen 127.0.0.1:0 ${socket} --upstream ${GATEWAY}`);
  return { HOME: home, AUTHORITY, ACCESS_TOKEN, IDENTITY_JWT, GATEWAY, PROXY };
}
