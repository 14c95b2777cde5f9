import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { checkTarball } from "../checks/release/check-tarball.ts";
import {
  type Manifest,
  publicFolders,
  readPublicHome,
  writePublicHome,
} from "../checks/release/public-home.ts";
import { temporaryDirectory } from "../src/index.js";

const HOME = {
  repository: { type: "git", url: "git+https://example.com/shape.git" },
  homepage: "https://example.com/shape",
  bugs: "https://example.com/shape/issues",
} as const;

const MANIFEST: Manifest = {
  ...HOME,
  name: "@example/shape",
  version: "0.1.0",
  license: "MIT",
  bin: { shape: "./dist/bin.js" },
  exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
  dependencies: { "@example/kind": "^0.1.0" },
  publishConfig: { access: "public", provenance: true },
  repository: { ...HOME.repository, directory: "packages/shape" },
};
const FILES = ["package.json", "README.md", "LICENSE"].concat(
  ["bin.js", "index.d.ts", "index.js"].map((name) => `dist/${name}`),
);
const faultsOf = (manifest: Partial<Manifest>, files: readonly string[] = FILES) =>
  checkTarball({ manifest: { ...MANIFEST, ...manifest }, files }, HOME, "packages/shape");

test.each<[string, Partial<Manifest>, string]>([
  ["a package that no changeset names", { version: "0.0.0" }, "has no version"],
  ["another licence", { license: "ISC" }, "does not say MIT"],
  ["a private package", { publishConfig: { provenance: true } }, "publishConfig.access"],
  ["no provenance", { publishConfig: { access: "public" } }, "publishConfig.provenance"],
  ["another homepage", { homepage: "https://example.com/" }, "homepage is not the root's"],
  ["another page for faults", { bugs: "https://example.com/" }, "bugs is not the root's"],
  ["another repository", { repository: { type: "git", url: "x" } }, "repository.url is not"],
  ["no folder", { repository: HOME.repository }, "repository.directory is not packages/shape"],
  ["a link", { dependencies: { kind: "workspace:^" } }, "kind is asked for by workspace:^"],
  ["a catalog", { peerDependencies: { kind: "catalog:" } }, "kind is asked for by catalog:"],
])("%s is not published", (_what, manifest, fault) => {
  const faults = faultsOf(manifest);
  expect(faults).toContainEqual(expect.stringContaining(fault));
  expect(faults.every((line) => line.startsWith("@example/shape: "))).toBe(true);
});

test.each(FILES)("a tarball without %s is not published", (missing) => {
  const files = FILES.filter((name) => name !== missing);
  expect(faultsOf({}, files)).toEqual([expect.stringContaining(`${missing}`)]);
});

test.each(["src/index.ts", "test/a.ts", "dist/a.test.js"])("%s is not published", (extra) => {
  expect(faultsOf({}, [...FILES, extra])).toEqual([`@example/shape: ${extra} is packed`]);
});

test("a whole package has no fault", () => {
  expect(faultsOf({})).toEqual([]);
});

test("each value of the public home that is missing or not valid is named, with what to write", async () => {
  const { path, remove } = await temporaryDirectory();
  onTestFinished(remove);
  const file = join(path, "package.json");
  const read = async (values: object) => {
    await writeFile(file, JSON.stringify(values));
    return readPublicHome(file);
  };
  expect(await read(HOME)).toEqual(HOME);
  expect(await read({})).toEqual([
    expect.stringContaining(`${file}: set "repository" to { "type": "git"`),
    expect.stringContaining('set "homepage" to "https://…"'),
    expect.stringContaining('set "bugs" to "https://…"'),
  ]);
  for (const name of ["homepage", "bugs"]) {
    for (const value of ["", "example.com", "http://example.com", {}]) {
      expect(await read({ ...HOME, [name]: value })).toEqual([expect.stringContaining(name)]);
    }
  }
  for (const repository of ["git+https://example.com/a.git", { type: "git", url: "https://a.b" }]) {
    expect(await read({ ...HOME, repository })).toEqual([expect.stringContaining("repository")]);
  }
});

test("the public home is written into every package but the private ones, with its folder", async () => {
  const { path: root, remove } = await temporaryDirectory();
  onTestFinished(remove);
  const packages = { "packages/shape": {}, "packages/hidden": { private: true }, "apps/paint": {} };
  for (const [folder, members] of Object.entries(packages)) {
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, "package.json"), JSON.stringify({ name: "x", ...members }));
  }
  expect(publicFolders(root)).toEqual(["packages/shape", "apps/paint"]);
  writePublicHome(root, HOME);
  const manifestOf = async (folder: string) =>
    JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
  expect(await manifestOf("packages/hidden")).toEqual({ name: "x", private: true });
  expect(await manifestOf("apps/paint")).toEqual({
    ...HOME,
    name: "x",
    repository: { ...HOME.repository, directory: "apps/paint" },
  });
});
