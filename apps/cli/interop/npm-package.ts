import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(import.meta.dirname, "../../../.cache");

/** A published package, pinned by the integrity that the npm registry states. */
export interface NpmPackage {
  /** With its scope, for instance `@openai/codex`. */
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
}

/** The path of a file of a package in the ignored cache folder. */
export function packageFile(release: NpmPackage, file: string): string {
  return join(folderOf(release), "package", file);
}

/**
 * Brings a package, without what it depends on, from the npm registry into the ignored cache folder, once.
 *
 * @throws {Error} when the registry does not have it, or has something else under its name
 */
export function fetchNpmPackage(release: NpmPackage): void {
  const folder = folderOf(release);
  if (existsSync(folder)) return;
  const specifier = `${release.package}@${release.version}`;
  const cache = join(folder, "..");
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(join(cache, "partial-"));
  try {
    console.log(`==> Fetching ${specifier} from the npm registry`);
    const packed = spawnSync("npm", ["pack", "--silent", specifier], {
      cwd: partial,
      encoding: "utf8",
    });
    const tarball = packed.stdout.trim().split("\n").at(-1) ?? "";
    if (packed.status !== 0 || tarball === "") {
      throw new Error(`npm pack ${specifier} failed: ${packed.stderr}`);
    }
    const path = join(partial, tarball);
    const actual = `sha512-${createHash("sha512").update(readFileSync(path)).digest("base64")}`;
    if (actual !== release.integrity) throw new Error(`${specifier} has integrity ${actual}`);
    const unpacked = spawnSync("tar", ["-xzf", path, "-C", partial], { encoding: "utf8" });
    if (unpacked.status !== 0) throw new Error(`tar failed: ${unpacked.stderr}`);
    rmSync(path);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function folderOf({ package: name, version }: NpmPackage): string {
  return join(CACHE, name.split("/").at(-1) ?? name, version);
}
