import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One way into a public package: `.`, or a subpath of its `exports`. */
export interface PackageEntry {
  /** As an import names it, e.g. `@countersign/agent-task/server`. */
  readonly specifier: string;
  /** The package's folder. */
  readonly folder: string;
  /** Its built declarations. */
  readonly declarations: string;
  /** Its committed report. */
  readonly report: string;
}

/** Where a package keeps the reports of its entries. */
export const REPORTS = "api";

/** @returns the folders of the public packages that others import */
export function publicPackages(root: string): string[] {
  const folders = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
  return folders.filter((folder) => {
    if (!existsSync(join(folder, "package.json"))) return false;
    return manifestOf(folder).private !== true;
  });
}

/** @returns the entries with declarations, in the order of the package's `exports` */
export function entriesOf(folder: string): PackageEntry[] {
  const { name, exports } = manifestOf(folder);
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === "string") return [];
    const report = subpath === "." ? "index" : subpath.slice(2).replaceAll("/", "-");
    return {
      specifier: name + subpath.slice(1),
      folder,
      declarations: join(folder, target.types),
      report: join(folder, REPORTS, `${report}.api.md`),
    };
  });
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
