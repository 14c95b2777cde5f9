import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./run-program.ts";

/** Installs packages of npm into a folder of the cache, once, and returns the folder. */
export function installOnce(cache: string, packages: Readonly<Record<string, string>>): string {
  const specs = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const prefix = join(cache, specs.join("+"));
  if (!existsSync(join(prefix, "installed"))) {
    mkdirSync(prefix, { recursive: true });
    // Their programs are fetched by a script after the installation.
    const allowScripts = Object.fromEntries(
      [...Object.keys(packages), "workerd"].map((name) => [name, true]),
    );
    writeFileSync(
      join(prefix, "package.json"),
      JSON.stringify({ private: true, type: "module", allowScripts }),
    );
    mustRun("npm", ["install", "--no-audit", "--no-fund", ...specs], prefix);
    writeFileSync(join(prefix, "installed"), "");
  }
  return prefix;
}
