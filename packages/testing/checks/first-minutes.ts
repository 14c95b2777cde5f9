// Does what the README's "First five minutes" says, to the letter but for the ports, in an empty folder: installs the packed packages from a registry on
// loopback, all others from the configured one, writes the README's files, runs its commands, and has a request verified. Once with each package
// manager. Then does the same with the programs of all documents: installs what they import, compiles and runs them. Prints a line for each, then
// `N passed, M failed`.
//
//   pnpm first-minutes
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runDocumentedPrograms } from "./documented-programs/run-programs.ts";
import { startLocalRegistry } from "./first-minutes/local-registry.ts";
import { readSteps, readWords, translate, type Words } from "./first-minutes/read-steps.ts";
import { Reader } from "./first-minutes/reader.ts";
import { environmentOf, nameRegistry } from "./first-minutes/user-folder.ts";
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
  const count = async (name: string, work: () => Promise<string>) => {
    try {
      console.log(`ok   ${name}: ${await work()}`);
      passed += 1;
    } catch (error) {
      console.log(`FAIL ${name}: ${error instanceof Error ? error.message : error}`);
      failed += 1;
    }
  };
  for (const [manager, words] of readWords(readme)) {
    await count(manager, () => follow(manager, words, registry.url));
  }
  await runDocumentedPrograms(root, join(work, "programs"), registry.url, count);
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
