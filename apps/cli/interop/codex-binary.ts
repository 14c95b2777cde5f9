import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(import.meta.dirname, "../../../.cache/codex");

/** A published Codex package that holds a binary, pinned by the integrity that the npm registry states. */
export interface CodexRelease {
  /** As documents and checks name it, for instance `0.122`. */
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  /** Path of the executable in the package. */
  readonly executable: string;
}

/** Generation A: by its flag it registers an agent with a biscuit, and a task for each thread. */
export const CODEX_A: CodexRelease = {
  name: "0.122",
  version: "0.122.0-linux-x64",
  integrity:
    "sha512-GYQBkwER9RPn7spJOwB3f/pTyk3KWKsRI8W+2Dl5H3XSxJJ5aVZeNKBGChSw6lyJWAmuZXssBu037KQx15lsGA==",
  executable: "vendor/x86_64-unknown-linux-musl/codex/codex",
};

/** Generation B: it has no flag, and takes identity JWTs. */
export const CODEX_B: CodexRelease = {
  name: "0.132",
  version: "0.132.0-linux-x64",
  integrity:
    "sha512-aGJPB+QkgtYQNQMlRGmE7oZstULu7k4trpux5r3CCZGPun4Xtwx3swtZXm7cWOVeTUkNfGCqdtCQ0bv6SKRiLA==",
  executable: "vendor/x86_64-unknown-linux-musl/codex/codex",
};

/** Generation C, the newest: by its flag it registers an agent with the human's bearer, and one task for its home; it takes identity JWTs too. */
export const CODEX_C: CodexRelease = {
  name: "0.171",
  version: "0.171.0-linux-x64",
  integrity:
    "sha512-l66NZkQgdk2C3pbcfULDz42yEUB581MVA6I+Y43Wp4OIqEy73HCdmZ0GTjeAHY2ycuH4N00d9VsLrwT1jxshTw==",
  executable: "vendor/x86_64-unknown-linux-musl/bin/codex",
};

/** Every release that is run. */
export const CODEX_RELEASES: readonly CodexRelease[] = [CODEX_A, CODEX_B, CODEX_C];

/** The path of a release's executable in the ignored cache folder. */
export function codexBinary({ version, executable }: CodexRelease): string {
  return join(CACHE, version, "package", executable);
}

/**
 * Brings a release from the npm registry into the ignored cache folder, once.
 *
 * @throws {Error} when the registry does not have it, or has something else under its name
 */
export function fetchCodexBinary(release: CodexRelease): void {
  const { version, integrity } = release;
  if (existsSync(codexBinary(release))) return;
  const folder = join(CACHE, version);
  mkdirSync(CACHE, { recursive: true });
  const partial = mkdtempSync(join(CACHE, "partial-"));
  try {
    console.log(`==> Fetching @openai/codex@${version} from the npm registry`);
    const packed = spawnSync("npm", ["pack", "--silent", `@openai/codex@${version}`], {
      cwd: partial,
      encoding: "utf8",
    });
    const tarball = packed.stdout.trim().split("\n").at(-1) ?? "";
    if (packed.status !== 0 || tarball === "") {
      throw new Error(`npm pack @openai/codex@${version} failed: ${packed.stderr}`);
    }
    const path = join(partial, tarball);
    const actual = `sha512-${createHash("sha512").update(readFileSync(path)).digest("base64")}`;
    if (actual !== integrity) throw new Error(`@openai/codex@${version} has integrity ${actual}`);
    const unpacked = spawnSync("tar", ["-xzf", path, "-C", partial], { encoding: "utf8" });
    if (unpacked.status !== 0) throw new Error(`tar failed: ${unpacked.stderr}`);
    rmSync(path);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
