import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** What a bundler makes of a use: minified, as bytes of gzip; a new import that drags a library in is noticed here. */
async function sizeOf(program: string): Promise<{ bytes: number; libraries: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const [output] = Object.values(metafile.outputs);
  const names = Object.entries(output?.inputs ?? {})
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
    .filter((name) => name !== undefined && !name.startsWith("@countersign/"));
  const bytes = gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length;
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
  ["a whole client", CLIENT, 65_000, ["@noble/ciphers", "@noble/hashes", "valibot"]],
])("%s is small in a bundle", async (_, program, most, libraries) => {
  const size = await sizeOf(program);
  expect(size.libraries).toEqual(libraries);
  expect(size.bytes).toBeLessThanOrEqual(most);
  expect(size.bytes).toBeGreaterThan(most / 2);
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
