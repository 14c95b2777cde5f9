import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build, type Metafile, type OutputFile } from "esbuild";
import { expect, test } from "vitest";

interface Size {
  readonly bytes: number;
  readonly libraries: readonly string[];
}

const OPTIONS = {
  bundle: true,
  minify: true,
  format: "esm",
  platform: "node",
  write: false,
  metafile: true,
  logLevel: "silent",
} as const satisfies BuildOptions;

/** What a bundler makes of a use: minified, as bytes of gzip; a new import that drags a library in is noticed here. */
async function sizeOf(program: string): Promise<Size> {
  const stdin = { contents: program, resolveDir: import.meta.dirname };
  const { outputFiles, metafile } = await build({ ...OPTIONS, stdin });
  return sizeOfOutputs(outputFiles, Object.values(metafile.outputs));
}

/** The same of what the use loads at its start, if the bundler puts what is loaded later into files of its own. */
async function sizeAtStart(program: string): Promise<Size> {
  const stdin = { contents: program, resolveDir: import.meta.dirname };
  const splitting = { splitting: true, outdir: import.meta.dirname };
  const { outputFiles, metafile } = await build({ ...OPTIONS, ...splitting, stdin });
  const paths = new Set(Object.keys(metafile.outputs).filter((path) => path.endsWith("/stdin.js")));
  for (const path of paths) {
    const imports = metafile.outputs[path]?.imports ?? [];
    for (const { kind, path: next } of imports) if (kind === "import-statement") paths.add(next);
  }
  const names = new Set([...paths].map((path) => basename(path)));
  const files = outputFiles.filter(({ path }) => names.has(basename(path)));
  return sizeOfOutputs(files, [...paths].map((path) => metafile.outputs[path]).filter(isOutput));
}

type Output = Metafile["outputs"][string];

function isOutput(output: Output | undefined): output is Output {
  return output !== undefined;
}

function sizeOfOutputs(files: readonly OutputFile[], outputs: readonly Output[]): Size {
  const names = outputs
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
    .filter((name) => name !== undefined && !name.startsWith("@countersign/"));
  const bytes = files.reduce(
    (sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length,
    0,
  );
  return { bytes, libraries: [...new Set(names as string[])].sort() };
}

const VERIFIER = `export { createVerifier, memoryDirectory } from "@countersign/agent-assertion";`;
const REMOTE = `${VERIFIER} export { remoteDirectory } from "@countersign/agent-assertion/remote-directory";`;
const SIGNER = `export { AssertionSigner } from "@countersign/agent-assertion/sign";`;
const CLIENT = `export { connectAgent } from "@countersign/agent";`;

test.each([
  ["a verifier with a directory in memory", VERIFIER, 12_000, []],
  ["a verifier that asks an authority", REMOTE, 20_000, []],
  ["a signer", SIGNER, 2_700, []],
  ["a whole client", CLIENT, 62_000, ["@noble/ciphers", "@noble/hashes", "valibot"]],
])("%s is small in a bundle", async (_, program, most, libraries) => {
  const size = await sizeOf(program);
  expect(size.libraries).toEqual(libraries);
  expect(size.bytes).toBeLessThanOrEqual(most);
  expect(size.bytes).toBeGreaterThan(most / 2);
});

test("a whole client loads less at its start: the ciphers of sealed boxes come with the first box", async () => {
  const { bytes, libraries } = await sizeAtStart(CLIENT);
  expect(libraries).toEqual(["valibot"]);
  expect(bytes).toBeLessThanOrEqual(54_500);
  expect(bytes).toBeGreaterThan(27_000);
});

test.each([
  ["agent-task", "ciphers"],
  ["agent-identity", "jose"],
])("%s as it is installed loads no %s at its start", async (name) => {
  const { libraries } = await sizeAtStart(`export * from "@countersign/${name}";`);
  expect(libraries).toEqual(["valibot"]);
});

// What a package is packed with; README and licence are some 10 kB more.
function filesOf(name: string): string[] {
  const root = dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
  const options = { recursive: true, withFileTypes: true } as const;
  const files = readdirSync(join(root, "dist"), options).filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name));
}

test("installing agent-assertion and what it needs takes well under 1 MB", () => {
  const files = ["agent-assertion", "agent-key"].flatMap((name) => filesOf(`@countersign/${name}`));
  expect(files.filter((file) => file.endsWith(".map"))).toEqual([]);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  expect(bytes).toBeGreaterThan(300_000);
  expect(bytes).toBeLessThan(700_000);
});
