// Packs every public package as npm would publish it, installs the tarballs into an empty folder, and signs and verifies with them on each
// supported Node, by `import` and by `require`; then signs, registers and verifies against a real authority on each Node and on Bun, Deno and
// workerd, where the example of a Worker runs too, and builds and serves the example of Next.js. Nothing may appear on stderr. Prints a line for each check, then `N passed, M failed`.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { packPublicPackages } from "./pack-public-packages.ts";
import { commonJsProgram, moduleProgram, type Program } from "./round-trip-programs.ts";
import { ANYWHERE, MAIN, PARTS, RUN_WORKER, WORKER } from "./runtimes/anywhere-program.ts";
import { EXAMPLE_CLIENT } from "./runtimes/example-client.ts";
import { installOnce } from "./runtimes/install-runtimes.ts";
import { NEXT_ANSWERS, NEXT_BOUND, RUN_NEXT } from "./runtimes/next-example.ts";
import { type PackedAuthority, startPackedAuthority } from "./runtimes/packed-authority.ts";
import { mustRun, run } from "./runtimes/run-program.ts";
import { EXAMPLE_ANSWERS, RUN_EXAMPLE } from "./runtimes/worker-example.ts";

const NODE_VERSIONS = ["22.19.0", "24.21.0", "26.10.0"];
const BUN = "1.4.5";
const DENO = "2.9.6";
const WORKERS = { miniflare: "4.20260426.0", esbuild: "0.28.2" };
const HONO = "hono@4";
const NEXT = {
  ...{ next: "16.4.6", react: "19.3.1", "react-dom": "19.3.1" },
  // What a build takes for a route in TypeScript.
  ...{ typescript: "7.0.2", "@types/node": "24.19.4", "@types/react": "19.3.3" },
};
const NEXT_EXAMPLE = "examples/apis/next-route.ts";
const WORKER_EXAMPLE = "examples/apis/hono-worker.ts";
const root = join(import.meta.dirname, "../../..");
const cache = join(root, ".cache/runtimes");
const installNode = (version: string) =>
  join(installOnce(cache, { node: version }), "node_modules/node/bin/node");

const consumer = mkdtempSync(join(tmpdir(), "countersign-runtimes-"));
let passed = 0;
let failed = 0;

function check(what: string, good: boolean, seen: ReturnType<typeof run>): void {
  if (good) passed += 1;
  else failed += 1;
  console.log(`${good ? "ok  " : "FAIL"} ${what}`);
  if (!good) console.log(`     exit ${seen.status}\n${seen.stdout}${seen.stderr}`);
}

function roundTrips(): void {
  const programs: readonly Program[] = [moduleProgram, commonJsProgram];
  for (const { file, source } of programs) writeFileSync(join(consumer, file), source);
  for (const version of NODE_VERSIONS) {
    const node = installNode(version);
    const actual = mustRun(node, ["--version"], consumer).trim();
    for (const { file, how } of programs) {
      const seen = run(node, [file], consumer);
      const printed = seen.stdout.trim() === "verified task-1" && seen.stderr === "";
      const good = actual === `v${version}` && seen.status === 0 && printed;
      check(`Node ${actual}, ${how}`, good, seen);
    }
  }
}

async function anywhere(node: string, authority: PackedAuthority): Promise<void> {
  const files = { "anywhere.mjs": ANYWHERE, "main.mjs": MAIN, "worker.mjs": WORKER };
  for (const [file, source] of Object.entries(files)) writeFileSync(join(consumer, file), source);
  const { url, accessToken, serverToken } = authority;
  const options = { authority: url, accessToken, serverToken };
  const bin = (packages: Readonly<Record<string, string>>, name: string) =>
    join(installOnce(cache, packages), "node_modules/.bin", name);
  const runtimes: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
    ...NODE_VERSIONS.map((version) => [`Node ${version}`, installNode(version), []] as const),
    [`Bun ${BUN}`, bin({ bun: BUN }, "bun"), []],
    [`Deno ${DENO}`, bin({ deno: DENO }, "deno"), ["run", "--allow-all", "--quiet"]],
  ];
  for (const [name, command, args] of runtimes) {
    const seen = run(command, [...args, "main.mjs", JSON.stringify(options)], consumer);
    const outcome = seen.status === 0 ? JSON.parse(seen.stdout) : { done: [] };
    const good = outcome.done.join() === PARTS.join() && seen.stderr === "";
    check(`${name}: ${PARTS.join(", ")}`, good, seen);
  }
  const folder = installOnce(cache, WORKERS);
  writeFileSync(join(folder, "run-worker.mjs"), RUN_WORKER);
  const bindings = JSON.stringify(options);
  const seen = run(node, ["run-worker.mjs", consumer, bindings], folder);
  const outcome = seen.status === 0 ? JSON.parse(seen.stdout) : { done: [] };
  const good = outcome.done.join() === PARTS.join() && seen.stderr === "";
  check(`workerd of miniflare ${WORKERS.miniflare}: ${PARTS.join(", ")}`, good, seen);

  copyFileSync(join(root, WORKER_EXAMPLE), join(consumer, basename(WORKER_EXAMPLE)));
  writeFileSync(join(consumer, EXAMPLE_CLIENT.file), EXAMPLE_CLIENT.source);
  writeFileSync(join(folder, RUN_EXAMPLE.file), RUN_EXAMPLE.source);
  const example = run(node, [RUN_EXAMPLE.file, consumer, bindings], folder);
  const asShown = example.stdout.trim() === EXAMPLE_ANSWERS && example.stderr === "";
  check(`workerd of miniflare ${WORKERS.miniflare}: ${WORKER_EXAMPLE}`, asShown, example);
}

function nextRoute(node: string, { url, database, accessToken }: PackedAuthority): void {
  const specs = Object.entries(NEXT).map(([name, version]) => `${name}@${version}`);
  console.log(`==> Building ${NEXT_EXAMPLE} with ${specs.join(" ")}`);
  mustRun("npm", ["install", "--no-audit", "--no-fund", ...specs], consumer);
  const app = join(consumer, "next-app");
  const inApp = (file: string) => {
    mkdirSync(join(app, dirname(file)), { recursive: true });
    return join(app, file);
  };
  copyFileSync(join(root, NEXT_EXAMPLE), inApp("app/v1/hello/route.ts"));
  writeFileSync(inApp(NEXT_BOUND.file), NEXT_BOUND.source);
  writeFileSync(join(consumer, RUN_NEXT.file), RUN_NEXT.source);
  mustRun(node, ["node_modules/next/dist/bin/next", "build", app], consumer);
  const options = JSON.stringify({ authority: url, database, accessToken });
  const seen = run(node, [RUN_NEXT.file, app, options], consumer);
  const good = seen.stdout.trim() === NEXT_ANSWERS && seen.stderr === "";
  check(`Next.js ${NEXT.next}: ${NEXT_EXAMPLE}`, good, seen);
}

try {
  console.log("==> Packing every public package and installing the tarballs");
  const packed = packPublicPackages(root, consumer);
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true }));
  const tarballs = packed.map(({ file }) => file);
  mustRun("npm", ["install", "--no-audit", "--no-fund", ...tarballs, HONO], consumer);
  const names = packed.map(({ manifest }) => manifest.name);
  console.log(`    ${names.length} packages: ${names.join(", ")}`);
  roundTrips();
  const node = installNode("24.21.0");
  await using authority = await startPackedAuthority(node, consumer);
  await anywhere(node, authority);
  nextRoute(node, authority);
} finally {
  rmSync(consumer, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
