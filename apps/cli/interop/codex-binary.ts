import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(import.meta.dirname, "../../../.cache/codex");

/** A published Codex package that holds a binary, pinned by the integrity that the npm registry states. */
export interface CodexRelease {
  readonly version: string;
  readonly integrity: string;
}

/** Generation A, the one with biscuits. */
export const CODEX_0_122: CodexRelease = {
  version: "0.122.0-linux-x64",
  integrity:
    "sha512-GYQBkwER9RPn7spJOwB3f/pTyk3KWKsRI8W+2Dl5H3XSxJJ5aVZeNKBGChSw6lyJWAmuZXssBu037KQx15lsGA==",
};

/**
 * Brings the binary of a release from the npm registry into the ignored cache folder, once.
 *
 * @returns the path of the executable
 */
export function fetchCodexBinary({ version, integrity }: CodexRelease): string {
  const folder = join(CACHE, version);
  const binary = join(folder, "package/vendor/x86_64-unknown-linux-musl/codex/codex");
  if (existsSync(binary)) return binary;
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
  return binary;
}
