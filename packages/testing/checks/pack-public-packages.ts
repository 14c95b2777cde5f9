import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type Manifest, publicFolders } from "./release/public-home.ts";

/** A packed package. */
export interface PackedPackage {
  /** As npm would show it. */
  readonly manifest: Manifest;
  /** Path of the tarball. */
  readonly file: string;
}

/** Packs every public package of the workspace as npm would publish it. They must have been built. */
export function packPublicPackages(root: string, target: string): readonly PackedPackage[] {
  return publicFolders(root).map((folder) => {
    const args = ["pack", "--json", "--pack-destination", target];
    const packed = run("pnpm", args, join(root, folder));
    const file = JSON.parse(packed).filename;
    return { manifest: JSON.parse(run("tar", ["-xzOf", file, "package/package.json"])), file };
  });
}

function run(command: string, args: readonly string[], cwd?: string): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
