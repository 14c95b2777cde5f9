import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ProcessResult, runProcess, startTestUpstream } from "@countersign/testing";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { freshHome } from "./fresh-home.js";
import { ResidentPool } from "./resident/resident-pool.js";

let folder: string;
let program: string;

beforeEach(async () => {
  folder = (await freshHome()).folder.path;
  program = join(folder, "program.mjs");
});

function residentsOf(bin: string): ResidentPool {
  const residents = new ResidentPool(bin);
  onTestFinished(() => residents.end());
  return residents;
}

interface Given {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs a program in a process of its own and in a resident, and gives what both did. */
async function runBothWays(script: string, { args = [], env = {}, input = "" }: Given = {}) {
  await writeFile(program, script);
  const residents = residentsOf(program);
  const inResident = await residents.run({ args, env, input, cwd: folder });
  const cleared = Object.keys(process.env).map((name) => [name, undefined] as const);
  const alone = await runProcess(process.execPath, [program, ...args], {
    env: { ...Object.fromEntries(cleared), ...env },
    input,
    cwd: folder,
  });
  return { inResident, alone, residents };
}

test.each([
  { what: "calls process.exit", script: "console.log('said'); process.exit(7)" },
  { what: "throws", script: "setTimeout(() => { throw new TypeError('thrown') })" },
  { what: "rejects", script: "await Promise.reject(new TypeError('thrown'))" },
  { what: "is killed", script: "console.log('said'); process.kill(process.pid, 'SIGKILL')" },
  { what: "is asked to end", script: "process.kill(process.pid); setTimeout(() => {}, 60_000)" },
  { what: "waits for what never comes", script: "await new Promise(() => {})" },
])(
  "a command that $what ends its resident as its own process, and the next one runs",
  async ({ script }) => {
    const { inResident, alone, residents } = await runBothWays(script);
    const { code, signal, stdout } = alone;
    expect(inResident).toMatchObject({ code, signal, stdout });
    expect(inResident.stderr.includes("TypeError: thrown")).toBe(
      alone.stderr.includes("TypeError: thrown"),
    );
    await writeFile(program, "console.log('next')");
    expect(await residents.run({ args: [], env: {}, input: "", cwd: folder })).toEqual(
      printed("next\n"),
    );
  },
);

const printed = (stdout: string): ProcessResult => ({ code: 0, signal: null, stdout, stderr: "" });

test("a command gets its arguments, environment, folder and input, and its end is waited for", async () => {
  const script = `
    import { text } from "node:stream/consumers";
    import { setTimeout } from "node:timers/promises";
    const { argv, env, exitCode } = process;
    const input = await text(process.stdin);
    console.log(JSON.stringify([argv, env, process.cwd(), process.umask(), exitCode, input]));
    console.log(process.stdout.isTTY, process.stdin.isTTY, "x".repeat(1_000_000));
    process.on("exit", (code) => { console.error("exit", code); process.exitCode = 4 });
    process.exitCode = 3;
    // Nothing waits for it but the process.
    setTimeout(50).then(() => console.log("late"));
  `;
  const given = { args: ["a", "--b"], env: { NAME: "value" }, input: "words\n" };
  const { inResident, alone } = await runBothWays(script, given);
  expect(inResident).toEqual(alone);
  expect(alone.code).toBe(4);
  expect(alone.stdout).toMatch(/late\n$/);
});

test("nothing of a command is left to the next one", async () => {
  const upstream = await startTestUpstream();
  onTestFinished(() => upstream.close());
  const hold = join(folder, "held.mjs");
  await writeFile(hold, "export const held = {};");
  const script = `
    import { connect } from "node:net";
    import { held } from ${JSON.stringify(pathToFileURL(hold).href)};
    const names = ["SIGTERM", "SIGHUP", "uncaughtException", "exit"];
    const listeners = names.map((name) => process.listenerCount(name));
    const streams = [process.stdout, process.stderr].map((stream) => stream.listenerCount("error"));
    const { LEFT = "none" } = process.env;
    console.log(JSON.stringify([listeners, streams, LEFT, process.umask(), process.exitCode, held.socket?.destroyed]));
    for (const name of names) process.on(name, () => {});
    process.stdout.on("error", () => {});
    process.env.LEFT = "left";
    process.umask(0o077);
    process.chdir("/");
    process.exitCode = 1;
    // As a client keeps a connection that it may use again.
    held.socket ??= await new Promise((resolve) => {
      const socket = connect(${new URL(upstream.url).port}, "127.0.0.1", () => resolve(socket.unref()));
    });
  `;
  await writeFile(program, script);
  const residents = residentsOf(program);
  const command = { args: [], env: {}, input: "", cwd: folder };
  const first = await residents.run(command);
  expect(first).toMatchObject({ code: 1, stderr: "" });
  const [listeners, streams, left, umask] = JSON.parse(first.stdout);
  const second = await residents.run(command);
  expect(second).toMatchObject({ code: 1, stderr: "" });
  expect(JSON.parse(second.stdout)).toEqual([listeners, streams, left, umask, null, true]);
});

test("each command prints the warnings that Node prints once", async () => {
  const script = "process.emitWarning('old', { type: 'DeprecationWarning', code: 'DEP_OLD' })";
  const { inResident, alone, residents } = await runBothWays(script);
  expect(alone.stderr).toContain("[DEP_OLD] DeprecationWarning: old");
  expect(inResident.stderr).toContain("[DEP_OLD] DeprecationWarning: old");
  const second = await residents.run({ args: [], env: {}, input: "", cwd: folder });
  expect(second.stderr).toContain("[DEP_OLD] DeprecationWarning: old");
});

test("commands that are run at once run in processes of their own, and one after the other in the same", async () => {
  await writeFile(program, "setTimeout(() => console.log(process.pid), 100)");
  const residents = residentsOf(program);
  const run = () => residents.run({ args: [], env: {}, input: "", cwd: folder });
  const together = await Promise.all([run(), run(), run()]);
  expect(new Set(together.map(({ stdout }) => stdout)).size).toBe(3);
  const later = (await run()).stdout;
  expect(together.map(({ stdout }) => stdout)).toContain(later);
  expect((await run()).stdout).toBe(later);
});
