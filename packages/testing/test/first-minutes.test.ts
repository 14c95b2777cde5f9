import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startLocalRegistry } from "../checks/first-minutes/local-registry.ts";
import { readSteps, readWords, translate } from "../checks/first-minutes/read-steps.ts";
import { Reader } from "../checks/first-minutes/reader.ts";
import { temporaryDirectory } from "../src/index.js";

const README = await readFile(join(import.meta.dirname, "../../../README.md"), "utf8");
const env = { PATH: process.env.PATH };

async function openReader(): Promise<{ reader: Reader; folder: string }> {
  const folder = await temporaryDirectory();
  const reader = new Reader(folder.path, env);
  onTestFinished(async () => {
    await reader[Symbol.asyncDispose]();
    await folder.remove();
  });
  return { reader, folder: folder.path };
}

test("a block that a reader can neither run nor save is an error", () => {
  for (const block of ["```ts\nlet a;\n```", "In `a.py`:\n\n```python\na\n```"]) {
    expect(() => readSteps(`\n## A\n\n${block}\n`, "A")).toThrow("does not know what to do");
  }
});

test("the README says how its commands are called with each package manager", () => {
  const words = readWords(README);
  expect([...words.keys()]).toEqual(["npm", "pnpm", "Yarn"]);
  const script = "npm init -y\nnpm install a\nnpx b\n";
  expect(translate(script, words.get("npm") ?? [])).toBe(script);
  expect(translate(script, words.get("pnpm") ?? [])).toBe("pnpm init\npnpm add a\npnpm exec b\n");
  expect(translate(script, words.get("Yarn") ?? [])).toContain("\nyarn add a\nyarn exec b\n");
});

test("a command that fails ends the reading, with what it printed", async () => {
  const { reader } = await openReader();
  const script = "echo out\necho err >&2\nfalse\necho never\n";
  const failed = reader.do({ kind: "run", script });
  await expect(failed).rejects.toThrow("ended with 1\nout\nerr\n");
});

test("a server goes on, and what comes after it names the port that it took", async () => {
  const { reader, folder } = await openReader();
  const program = `require("node:http").createServer((_, response) => response.end("hello"))
    .listen(4600, "127.0.0.1", function () { console.log("listening", this.address()); });`;
  await reader.do({ kind: "write", file: "server.cjs", text: program });
  await reader.do({ kind: "run", script: "node server.cjs\n" });
  await reader.do({ kind: "write", file: "url.txt", text: "http://127.0.0.1:4600/" });
  const url = await readFile(join(folder, "url.txt"), "utf8");
  expect(url).not.toMatch(/:(0|4600)\//);
  expect(await (await fetch(url)).text()).toBe("hello");
  expect(await reader.do({ kind: "run", script: "cat url.txt\n" })).toBe(url);
});

test("the registry has the packages that it was given, and no others", async () => {
  const folder = await temporaryDirectory();
  onTestFinished(folder.remove);
  const file = join(folder.path, "example-shape-0.0.0.tgz");
  await writeFile(file, "packed");
  const manifest = { name: "@example/shape", version: "0.0.0" };
  await using registry = await startLocalRegistry([{ manifest, file }]);
  for (const name of ["@example/shape", "@example%2fshape"]) {
    const document = JSON.parse(await (await fetch(`${registry.url}${name}`)).text());
    expect(document).toMatchObject({ name: manifest.name, "dist-tags": { latest: "0.0.0" } });
    const { tarball, integrity } = document.versions["0.0.0"].dist;
    expect(await (await fetch(tarball)).text()).toBe("packed");
    expect(integrity).toMatch(/^sha512-/);
  }
  expect((await fetch(`${registry.url}@example/other`)).status).toBe(404);
});
