import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the project is found, as each package.json states it for npm. */
export interface PublicHome {
  readonly repository: { readonly type: "git"; readonly url: string };
  readonly homepage: string;
  readonly bugs: string;
}

/** What each value has to look like, as the root's package.json holds it. */
const EXPECTED = {
  repository:
    '{ "type": "git", "url": "git+https://HOST/OWNER/NAME.git" }, the repository that provenance names',
  homepage: '"https://…", the page that a reader of npm is sent to',
  bugs: '"https://…", the page on which a fault is reported',
} as const;

/**
 * Reads the values from the root's `package.json`, their one home: no package repeats them before it is released.
 *
 * @param file - a file with members of the same form
 * @returns the values, or one line for each that is missing or not valid
 */
export function readPublicHome(file: string): PublicHome | readonly string[] {
  const { repository, homepage, bugs } = JSON.parse(readFileSync(file, "utf8"));
  const valid = {
    repository:
      repository?.type === "git" &&
      isHttps(repository.url?.replace(/^git\+/, "")) &&
      repository.url.startsWith("git+"),
    homepage: isHttps(homepage),
    bugs: isHttps(bugs),
  };
  const faults = (Object.keys(EXPECTED) as (keyof typeof EXPECTED)[])
    .filter((name) => !valid[name])
    .map((name) => `${file}: set "${name}" to ${EXPECTED[name]}`);
  return faults.length === 0 ? { repository, homepage, bugs } : faults;
}

/** Writes the values into the `package.json` of every public package. */
export function writePublicHome(root: string, home: PublicHome): void {
  for (const folder of publicFolders(root)) {
    const path = join(root, folder, "package.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    const { repository, homepage, bugs } = home;
    const fields = { repository: { ...repository, directory: folder }, homepage, bugs };
    writeFileSync(path, `${JSON.stringify({ ...manifest, ...fields }, null, 2)}\n`);
  }
}

/** @returns the folders of the packages that are published, from the root */
export function publicFolders(root: string): string[] {
  return ["packages", "apps"]
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .filter((folder) => readManifest(join(root, folder))?.private !== true);
}

/** The members of a `package.json` that a release depends on. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly access?: string; readonly provenance?: boolean };
  readonly repository?: PublicHome["repository"] & { readonly directory?: string };
  readonly homepage?: string;
  readonly bugs?: string;
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

function isHttps(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && value.startsWith("https://");
}
