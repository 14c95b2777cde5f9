import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

const BEHAVIOUR = `
const [first, ...others] = process.argv.slice(2);
const codexVariables = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("CODEX_")));
const does = {
  "--version": () => console.log(VERSION),
  show: () => console.log(JSON.stringify({ args: others, env: codexVariables })),
  copy: () => process.stdin.pipe(process.stdout),
  exit: () => process.exit(Number(others[0])),
  die: () => process.kill(process.pid, others[0]),
  wait: () => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {
      console.log("got " + name);
      if (name === others[0]) process.exit(9);
    });
    setInterval(() => undefined, 60_000);
    console.log("ready");
  },
};
does[first]();
`;

/** A program in place of Codex: it prints a version, and what it was started with. */
export interface FakeCodex {
  readonly path: string;
  /** A `PATH` that begins with its folder. */
  readonly PATH: string;
}

/** Writes a program named `codex` into a new folder. */
export async function writeFakeCodex(folder: string, version: string): Promise<FakeCodex> {
  const bin = join(folder, `codex-${version}`);
  const path = join(bin, "codex");
  await mkdir(bin, { recursive: true });
  const constant = `const VERSION = ${JSON.stringify(`codex-cli ${version}`)};`;
  await writeFile(path, `#!${process.execPath}\n${constant}${BEHAVIOUR}`);
  await chmod(path, 0o755);
  return { path, PATH: `${bin}${delimiter}${process.env.PATH}` };
}
