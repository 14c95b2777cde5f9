// Packs every public package as npm would publish it, installs the tarballs into an empty folder, and signs and verifies with them on each
// supported Node, by `import` and by `require`. Nothing may appear on stderr. Prints a line for each check, then `N passed, M failed`.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packPublicPackages } from "./pack-public-packages.ts";
import { commonJsProgram, moduleProgram, type Program } from "./round-trip-programs.ts";

const NODE_VERSIONS = ["22.19.0", "24.21.0", "26.10.0"];
const root = join(import.meta.dirname, "../../..");
const cache = join(root, ".cache/runtimes");

function run(command: string, args: readonly string[], cwd: string) {
  return spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
}

function mustRun(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = run(command, args, cwd);
  if (status !== 0) {
    throw new Error(
      `${command} ${args.join(" ")} failed: ${error?.message ?? `${stdout}\n${stderr}`}`,
    );
  }
  return stdout;
}

function installNode(version: string): string {
  const prefix = join(cache, `node-${version}`);
  const binary = join(prefix, "node_modules/node/bin/node");
  if (!existsSync(binary)) {
    mkdirSync(prefix, { recursive: true });
    writeFileSync(
      join(prefix, "package.json"),
      JSON.stringify({ private: true, allowScripts: { node: true } }),
    );
    mustRun("npm", ["install", "--no-audit", "--no-fund", `node@${version}`], prefix);
  }
  return binary;
}

const consumer = mkdtempSync(join(tmpdir(), "countersign-runtimes-"));
let passed = 0;
let failed = 0;
try {
  console.log("==> Packing every public package and installing the tarballs");
  const packed = packPublicPackages(root, consumer);
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true }));
  mustRun(
    "npm",
    ["install", "--no-audit", "--no-fund", ...packed.map(({ file }) => file)],
    consumer,
  );
  const names = packed.map(({ manifest }) => manifest.name);
  console.log(`    ${names.length} packages: ${names.join(", ")}`);

  const programs: readonly Program[] = [moduleProgram, commonJsProgram];
  for (const { file, source } of programs) writeFileSync(join(consumer, file), source);

  for (const version of NODE_VERSIONS) {
    const node = installNode(version);
    const actual = mustRun(node, ["--version"], consumer).trim();
    for (const { file, how } of programs) {
      const { status, stdout, stderr } = run(node, [file], consumer);
      const good =
        actual === `v${version}` &&
        status === 0 &&
        stdout.trim() === "verified task-1" &&
        stderr === "";
      if (good) passed += 1;
      else failed += 1;
      console.log(`${good ? "ok  " : "FAIL"} Node ${actual}, ${how}`);
      if (!good) console.log(`     exit ${status}\n${stdout}${stderr}`);
    }
  }
} finally {
  rmSync(consumer, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
