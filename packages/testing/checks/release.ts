// Rehearses a release of every public package, up to the upload: in a copy of what git tracks, and of what was built, it raises the versions by
// the changesets, writes the change logs, puts the project's public home into each package, packs it and checks what is in the tarball. Prints
// what must be mended, then `N passed, M failed`, one for each package. Nothing in the working tree changes.
//
//   pnpm release:check [--home FILE]     the public home is read from FILE, not from the root's package.json
//   node packages/testing/checks/release.ts --write-home   writes the public home into each package, before they are published
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { checkTarball, type Tarball } from "./release/check-tarball.ts";
import {
  type PublicHome,
  publicFolders,
  readPublicHome,
  writePublicHome,
} from "./release/public-home.ts";

const { values: options } = parseArgs({
  options: {
    home: { type: "string", default: "package.json" },
    "write-home": { type: "boolean", default: false },
  },
});

const root = join(import.meta.dirname, "../../..");
const home = readPublicHome(resolve(root, options.home));
if (!("repository" in home)) {
  for (const fault of home) console.log(`FAIL ${fault}`);
  console.log(`release: 0 passed, ${home.length} failed`);
  process.exitCode = 1;
} else if (options["write-home"]) {
  writePublicHome(root, home);
} else {
  const copy = mkdtempSync(join(tmpdir(), "countersign-release-"));
  try {
    process.exitCode = rehearse(copy, home);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function rehearse(copy: string, home: PublicHome): number {
  const folders = publicFolders(root);
  copyTree(copy, folders);
  const run = (command: string, args: readonly string[], cwd = copy) =>
    execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  // The links between packages, by which `workspace:` becomes a version.
  run("pnpm", ["install", "--frozen-lockfile", "--prefer-offline", "--ignore-scripts"]);
  run("pnpm", ["exec", "changeset", "version"]);
  writePublicHome(copy, home);

  let failed = 0;
  for (const folder of folders) {
    const packed = run("pnpm", ["pack", "--json", "--pack-destination", copy], join(copy, folder));
    const { filename } = JSON.parse(packed);
    const tarball = readTarball(filename, run);
    const faults = checkTarball(tarball, home, folder);
    const { name, version } = tarball.manifest;
    const log = join(copy, folder, "CHANGELOG.md");
    if (!existsSync(log) || !readFileSync(log, "utf8").includes(`## ${version}`)) {
      faults.push(`${name}: CHANGELOG.md does not tell of ${version}`);
    }
    for (const fault of faults) console.log(`FAIL ${fault}`);
    if (faults.length === 0) console.log(`ok ${name} ${version}, ${tarball.files.length} files`);
    else failed += 1;
  }
  console.log(`release: ${folders.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function copyTree(copy: string, folders: readonly string[]): void {
  const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" });
  for (const file of tracked.split("\0")) {
    // A file that was removed and not yet committed is still listed.
    if (file !== "" && existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
  }
  for (const folder of folders) {
    const built = join(root, folder, "dist");
    if (!existsSync(built)) throw new Error(`${folder} is not built: pnpm build`);
    cpSync(built, join(copy, folder, "dist"), { recursive: true });
  }
}

function readTarball(
  path: string,
  run: (command: string, args: readonly string[]) => string,
): Tarball {
  const files = run("tar", ["-tzf", path])
    .trim()
    .split("\n")
    .map((file) => file.replace(/^package\//, ""));
  const manifest = JSON.parse(run("tar", ["-xzOf", path, "package/package.json"]));
  return { manifest, files };
}
