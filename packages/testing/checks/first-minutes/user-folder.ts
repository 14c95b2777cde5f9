import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(import.meta.dirname, "../../../..");

/** The variables of a user with a home of its own, without what this repository and its package manager add to them. */
export function environmentOf(home: string): NodeJS.ProcessEnv {
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
export function nameRegistry(folder: string, registry: string): void {
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
