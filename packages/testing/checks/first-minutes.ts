// Does what the README's "First five minutes" says, to the letter but for the ports, in an empty folder: installs the packed packages from a registry on
// loopback, all others from the configured one, writes the README's files, runs its commands, and has a request verified. Once with each package
// manager. Prints a line for each, then `N passed, M failed`.
//
//   pnpm first-minutes
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startLocalRegistry } from "./first-minutes/local-registry.ts";
import { readSteps, readWords, translate, type Words } from "./first-minutes/read-steps.ts";
import { Reader } from "./first-minutes/reader.ts";
import { packPublicPackages } from "./pack-public-packages.ts";

const SECTION = "First five minutes";
const ANSWER = /^200 agent_\S+ in task_\S+$/m;
const root = join(import.meta.dirname, "../../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

const work = mkdtempSync(join(tmpdir(), "countersign-first-minutes-"));
let passed = 0;
let failed = 0;
try {
  const tarballs = join(work, "tarballs");
  mkdirSync(tarballs);
  await using registry = await startLocalRegistry(packPublicPackages(root, tarballs));
  for (const [manager, words] of readWords(readme)) {
    try {
      console.log(`ok   ${manager}: ${await follow(manager, words, registry.url)}`);
      passed += 1;
    } catch (error) {
      console.log(`FAIL ${manager}: ${error instanceof Error ? error.message : error}`);
      failed += 1;
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 3 });
}
console.log(`first minutes: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** @returns what the README's agent printed */
async function follow(manager: string, words: Words, registry: string): Promise<string> {
  const folder = join(work, manager, "hello-agent");
  mkdirSync(folder, { recursive: true });
  const env = environmentOf(join(work, manager));
  nameRegistry(folder, registry);
  await using reader = new Reader(folder, env);
  let answer: string | undefined;
  for (const step of readSteps(readme, SECTION)) {
    if (step.kind === "write") {
      await reader.do(step);
      continue;
    }
    const own = { ...step, script: translate(step.script, words) };
    const found = ANSWER.exec(await reader.do(own))?.[0];
    if (found === undefined) continue;
    answer = found;
    const again = ANSWER.exec(await reader.do(own))?.[0];
    if (again !== answer) throw new Error(`run again, the agent printed ${again}, not ${answer}`);
  }
  if (answer === undefined) throw new Error("no request was verified");
  return answer;
}

/** The variables of a user with a home of its own, without what this repository and its package manager add to them. */
function environmentOf(home: string): NodeJS.ProcessEnv {
  const bin = join(home, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  symlinkSync(
    fileURLToPath(import.meta.resolve("@yarnpkg/cli-dist/bin/yarn.js")),
    join(bin, "yarn"),
  );
  const ofUser = Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name));
  const path = (process.env.PATH ?? "").split(delimiter).filter((part) => !part.startsWith(root));
  return {
    ...Object.fromEntries(ofUser),
    HOME: home,
    PATH: [bin, ...path].join(delimiter),
    // What the user configured: certificates, a proxy.
    NPM_CONFIG_USERCONFIG: configured("userconfig"),
    // `pnpm init` pins the pnpm that runs, and pnpm then looks itself up: not every registry has all of its parts.
    pnpm_config_pm_on_fail: "ignore",
    ACCESS_TOKEN: undefined,
    COUNTERSIGN_HOME: undefined,
  };
}

/** Stands for a release: names the registry that has the packages of this workspace. */
function nameRegistry(folder: string, registry: string): void {
  const others = configured("registry");
  const npmrc = `registry=${others}\n@countersign:registry=${registry}\n`;
  writeFileSync(join(folder, ".npmrc"), npmrc);
  const yarnrc = {
    npmRegistryServer: others,
    npmScopes: { countersign: { npmRegistryServer: registry } },
    unsafeHttpWhitelist: ["127.0.0.1"],
    enableTelemetry: false,
  };
  // YAML reads JSON.
  writeFileSync(join(folder, ".yarnrc.yml"), `${JSON.stringify(yarnrc)}\n`);
}

function configured(name: string): string {
  return execFileSync("npm", ["config", "get", name], { encoding: "utf8" }).trim();
}
