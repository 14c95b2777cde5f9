import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

const BEHAVIOUR = `
const [first, ...others] = process.argv.slice(2);
const codexVariables = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("CODEX_")));
const does = {
  "--version": () => {
    const { FAKE_CODEX_SHOWS } = process.env;
    if (FAKE_CODEX_SHOWS !== undefined) require("node:fs").writeFileSync(FAKE_CODEX_SHOWS, JSON.stringify(process.env));
    if (process.env.FAKE_CODEX_HANGS === undefined) return console.log(VERSION);
    for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => undefined);
    require("node:fs").writeFileSync(process.env.FAKE_CODEX_HANGS, String(process.pid));
    setInterval(() => undefined, 60_000);
  },
  environment: () => console.log(JSON.stringify(process.env)),
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
    console.log("parent " + process.ppid);
    console.log("ready");
  },
};
does[first]();
`;

/**
 * A program in place of Codex: it prints a version, and what it was started with. With the variable `FAKE_CODEX_HANGS` it never prints its version,
 * whatever signal it gets, and writes its process id into the file that the variable names. With `FAKE_CODEX_SHOWS` it writes the environment in which
 * it is asked for its version into that file.
 */
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
