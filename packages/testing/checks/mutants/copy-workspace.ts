import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/** Copies the repository with what was built of it, so that its files can be changed while others work with them. Installs nothing. */
export function copyWorkspace(root: string, target: string): void {
  const listed = spawnSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  if (listed.status !== 0) throw new Error(`git ls-files failed: ${listed.stderr}`);
  for (const file of listed.stdout.split("\0")) {
    if (file !== "" && existsSync(join(root, file))) cpSync(join(root, file), join(target, file));
  }
  symlinkSync(join(root, "node_modules"), join(target, "node_modules"));
  const packages = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  );
  for (const folder of [...packages, "examples"]) {
    for (const part of ["dist", "node_modules"]) {
      const from = join(root, folder, part);
      if (!existsSync(from)) continue;
      // Links between packages stay relative, and so lead to the packages of the copy.
      cpSync(from, join(target, folder, part), { recursive: true, verbatimSymlinks: true });
    }
  }
}
