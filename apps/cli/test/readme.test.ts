import { readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  markdownBlocks,
  runProcess,
  startProcess,
  type TemporaryDirectory,
  temporaryDirectory,
} from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { type RealAuthority, startRealAuthority } from "./faults/real-authority.js";

const ROOT = join(import.meta.dirname, "../../..");
const EXAMPLES = join(ROOT, "examples/first-minutes");
const README = await readFile(join(ROOT, "README.md"), "utf8");
const AGENT_README = await readFile(join(ROOT, "packages/agent/README.md"), "utf8");
const BLOCKS = markdownBlocks(README, "First five minutes");

for (const name of ["agent.mts", "api.mts"]) {
  test(`the README shows ${name} as it is compiled here`, async () => {
    const [block, ...others] = BLOCKS.filter(({ file }) => file === name);
    expect(others.filter(({ language }) => language === "ts")).toEqual([]);
    expect(block).toMatchObject({
      language: "ts",
      text: await readFile(join(EXAMPLES, name), "utf8"),
    });
  });
}

/** Writes a program of the README into a folder, for servers on other ports than there. */
async function write(folder: string, name: string, ports: Record<string, string | number>) {
  const text = await readFile(join(EXAMPLES, name), "utf8");
  const own = Object.entries(ports).reduce(
    (program, [from, to]) => program.replace(from, `${to}`),
    text,
  );
  expect(own).not.toBe(text);
  await writeFile(join(folder, name), own);
  return join(folder, name);
}

/** A folder in which the programs find the packages as they are built. */
async function openFolder(): Promise<TemporaryDirectory> {
  const folder = await temporaryDirectory();
  onTestFinished(folder.remove);
  await symlink(join(import.meta.dirname, "../node_modules"), join(folder.path, "node_modules"));
  return folder;
}

async function startApi(folder: string, authority: RealAuthority) {
  const ports = { "http://127.0.0.1:4600": authority.url, 4700: 0 };
  const api = await startProcess(process.execPath, [await write(folder, "api.mts", ports)]);
  onTestFinished(() => api[Symbol.asyncDispose]());
  const [, port] = await api.waitForLine(/^listening .* port: (\d+)/);
  return `http://127.0.0.1:${port}`;
}

/** The command of `@countersign/agent` that bundles an agent, for a folder without packages. */
async function bundle(agent: string, folder: string): Promise<string> {
  const [, command = ""] = /^npx esbuild (agent\.mts .*)$/m.exec(AGENT_README) ?? [];
  const file = join(folder, "agent.mjs");
  const line = command.replace("agent.mts", '"$AGENT"').replace("agent.mjs", '"$BUNDLE"');
  const require = createRequire(import.meta.url);
  const shell = `"$NODE" "$ESBUILD" --log-level=error ${line}`;
  const env = {
    NODE: process.execPath,
    ESBUILD: require.resolve("esbuild/bin/esbuild"),
    AGENT: agent,
    BUNDLE: file,
  };
  const built = await runProcess("bash", ["-euc", shell], { env });
  expect(built, built.stderr).toMatchObject({ code: 0 });
  return file;
}

async function asItIs(agent: string): Promise<string> {
  return agent;
}

test.each([
  ["as it is", asItIs],
  ["bundled, in a folder without packages", bundle],
])(
  "the README's agent, %s, is verified by the README's API, and again in the same task",
  async (_, made) => {
    const authority = await startRealAuthority();
    const [{ path: folder }, elsewhere] = [await openFolder(), await temporaryDirectory()];
    onTestFinished(elsewhere.remove);
    const api = await startApi(folder, authority);
    const ports = { "http://127.0.0.1:4700": api, "http://127.0.0.1:4600": authority.url };
    const agent = await made(await write(folder, "agent.mts", ports), elsewhere.path);
    const env = { ACCESS_TOKEN: await authority.token(), HOME: elsewhere.path };
    const run = () => runProcess(process.execPath, [agent], { env });
    const first = await run();
    const [task] = await authority.registry.listTasks();
    expect(first).toMatchObject({
      code: 0,
      stdout: `200 ${task?.agentRuntimeId} in ${task?.taskId}\n`,
      stderr: "",
    });
    expect(await run()).toEqual(first);
    expect(authority.count("register_agent")).toBe(1);
    expect(authority.count("register_task")).toBe(1);
    expect(authority.count("whoami")).toBe(1);
  },
);

test("the README's agent without a token says what to do, and sends no request", async () => {
  const authority = await startRealAuthority();
  const { path: folder } = await openFolder();
  const ports = { "http://127.0.0.1:4600": authority.url };
  const agent = await write(folder, "agent.mts", ports);
  const env = { ACCESS_TOKEN: "", HOME: folder };
  const { code, stderr } = await runProcess(process.execPath, [agent], { env });
  expect(code).toBe(1);
  expect(stderr).toContain("accessToken must be the human's access token, as countersign");
  expect(authority.count("whoami")).toBe(0);
});

test("the README's agent whose agent is revoked ends with agent_revoked, and registers no other", async () => {
  const authority = await startRealAuthority();
  const { path: folder } = await openFolder();
  const api = await startApi(folder, authority);
  const ports = { "http://127.0.0.1:4700": api, "http://127.0.0.1:4600": authority.url };
  const agent = await write(folder, "agent.mts", ports);
  const env = { ACCESS_TOKEN: await authority.token(), HOME: folder };
  const run = () => runProcess(process.execPath, [agent], { env });
  expect(await run()).toMatchObject({ code: 0 });
  const [task] = await authority.registry.listTasks();
  await authority.registry.revokeAgent(task?.agentRuntimeId ?? "");
  // A thread without a task asks the authority at once.
  const other = await write(folder, "agent.mts", { ...ports, "thread-42": "thread-43" });
  const { code, stderr } = await runProcess(process.execPath, [other], { env });
  expect(code).toBe(1);
  expect(stderr).toContain("agent_revoked");
  expect(authority.count("register_agent")).toBe(1);
});
