import type { Manifest, PublicHome } from "./public-home.ts";

/** One packed package: its manifest as npm will show it, and the paths of its files. */
export interface Tarball {
  readonly manifest: Manifest;
  readonly files: readonly string[];
}

/** @returns what of a packed package must not be published, one line each */
export function checkTarball({ manifest, files }: Tarball, home: PublicHome, folder: string) {
  const faults: string[] = [];
  const expect = (holds: boolean, fault: string) => {
    if (!holds) faults.push(`${manifest.name}: ${fault}`);
  };
  expect(manifest.version !== "0.0.0", "has no version: no changeset names it");
  expect(manifest.license === "MIT", "package.json does not say MIT");
  expect(manifest.publishConfig?.access === "public", "publishConfig.access is not public");
  expect(manifest.publishConfig?.provenance === true, "publishConfig.provenance is not true");
  expect(manifest.repository?.url === home.repository.url, "repository.url is not the root's");
  expect(manifest.repository?.directory === folder, `repository.directory is not ${folder}`);
  expect(manifest.homepage === home.homepage, "homepage is not the root's");
  expect(manifest.bugs === home.bugs, "bugs is not the root's");
  for (const name of ["package.json", "README.md", "LICENSE"]) {
    expect(files.includes(name), `${name} is not in the tarball`);
  }
  for (const target of targetsOf(manifest)) {
    expect(files.includes(target), `${target}, which package.json names, is not in the tarball`);
  }
  for (const file of files) {
    expect(!/^(src|test|node_modules)\/|\.test\.|\.tsbuildinfo$/.test(file), `${file} is packed`);
  }
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  for (const [name, range] of Object.entries({
    ...dependencies,
    ...optionalDependencies,
    ...peerDependencies,
  })) {
    expect(!/^(workspace|catalog|file|link):/.test(range), `${name} is asked for by ${range}`);
  }
  return faults;
}

function targetsOf({ bin = {}, exports = {} }: Manifest): string[] {
  const targets = [...Object.values(bin), ...Object.values(exports)].flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target),
  );
  return [...new Set(targets.map((target) => target.replace(/^\.\//, "")))];
}
