import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { publicLineOf } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { type ProcessResult, runProcess } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { createCodexAuth } from "../src/codex/codex-home.js";
import {
  BIN,
  contentOf,
  countersign,
  environmentOf,
  expectError,
  json,
  output,
  storeLogin,
} from "./command-line.js";
import { writeFakeCodex } from "./fake-codex.js";
import { type ServerWorld, type StartedServer, serverWorld } from "./servers.js";

let world: ServerWorld;
let authority: StartedServer;
let codexHome: string;

interface Options {
  readonly home: string;
  readonly env: Record<string, string>;
}

beforeEach(async () => {
  const fresh = await serverWorld();
  const { PATH } = await writeFakeCodex(fresh.folder.path, "0.122.0");
  world = { ...fresh, options: { ...fresh.options, env: { ...fresh.options.env, PATH } } };
  authority = await world.serve();
  // A path that a shell would split, and a terminal would act upon.
  codexHome = join(world.folder.path, "codex \u001b[2J'home");
  await openCodexHome();
  await world.logIn(authority.url);
});

async function openCodexHome(): Promise<void> {
  await mkdir(codexHome, { mode: 0o700 });
  const human = { accountId: "acct-1", userId: "user-1", accessToken: "t0ken", now: 0 };
  await writeFile(join(codexHome, "auth.json"), createCodexAuth(human), { mode: 0o600 });
}

/** Another home of the same human, which shares the Codex home alone. */
async function otherHome(): Promise<Options> {
  const home = join(world.folder.path, "other");
  await storeLogin(home, { authority: authority.url, accessToken: await world.createToken() });
  return { ...world.options, home };
}

const inCodex = async () => {
  const auth = JSON.parse(await readFile(join(codexHome, "auth.json"), "utf8"));
  return auth.agent_identity;
};
const codexLine = async () => publicLineOf({ private_key: (await inCodex()).agent_private_key });
const storedLine = async (options: Options = world.options) =>
  (await json(["identity", "show"], options)).agent_public_key;

async function setCodexKey(change: object): Promise<void> {
  const file = join(codexHome, "auth.json");
  const auth = JSON.parse(await readFile(file, "utf8"));
  const agent_identity = { ...auth.agent_identity, ...change };
  await writeFile(file, JSON.stringify({ ...auth, agent_identity }), { mode: 0o600 });
}

async function editStored(edit: (entry: Record<string, unknown>) => object): Promise<void> {
  const file = join(world.home, "credentials.json");
  const content = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...content, identities: content.identities.map(edit) }), {
    mode: 0o600,
  });
}

async function liveLines(): Promise<readonly string[]> {
  const { agent_runtime_id } = await inCodex();
  const answer = await fetch(`${authority.url}/v1/agent/${agent_runtime_id}`);
  const record = (await answer.json()) as { readonly agent_public_keys: readonly string[] };
  return record.agent_public_keys;
}

const args = (command: "import" | "export") => [
  ...["identity", command, "--codex-home", codexHome, "--authority", authority.url],
];
const doctor = async (options: Options = world.options) => {
  const { stdout } = await countersign(["doctor", "--json"], options);
  const { checks } = JSON.parse(stdout);
  return (name: string) => checks.find((check: { name: string }) => check.name === name);
};

/** Does what a message says, as a person would: its command, in a shell. */
async function follow(text: string, options: Options): Promise<ProcessResult> {
  const line = /countersign (?:identity|doctor) [^;]*?(?=, then |;|$)/m.exec(unescaped(text))?.[0];
  if (line === undefined) throw new Error(`no command in: ${text}`);
  const folder = join(world.folder.path, "bin");
  await mkdir(folder, { recursive: true });
  const script = `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`;
  await writeFile(join(folder, "countersign"), script);
  await chmod(join(folder, "countersign"), 0o755);
  const env = { ...environmentOf(options), PATH: `${folder}${delimiter}${options.env.PATH}` };
  return await runProcess("/bin/sh", ["-c", line], { env });
}

const unescaped = (text: string) =>
  text.replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16)));
const hintOf = ({ stderr }: ProcessResult) => /^hint: (.*)$/m.exec(stderr)?.[1] ?? "";

const warningsOf = ({ stderr }: ProcessResult) =>
  stderr.split("\n").filter((line) => line.startsWith("warning: Codex still has"));

/** Follows hints until a command succeeds, and expects after each that a key which the authority takes is still there. */
async function followHints(first: ProcessResult, options: Options, atMost = 3): Promise<number> {
  let result = first;
  for (let steps = 0; steps <= atMost; steps += 1) {
    const live = await liveLines();
    const kept = [await codexLine(), await storedLine(options)];
    expect(kept.some((line) => line !== undefined && live.includes(line))).toBe(true);
    if (result.code === 0) return steps;
    result = await follow(hintOf(result), options);
  }
  throw new Error(`no end of hints: ${result.stderr}`);
}

describe("an agent that was exported, and then rotated", () => {
  beforeEach(async () => {
    await output(["identity", "ensure"], world.options);
    await output(args("export"), world.options);
  });

  test("is warned of once, with the command that gives Codex the new key, without the network", async () => {
    expect(await storedLine()).toBe(await codexLine());
    expect((await doctor())("codex")).toMatchObject({ state: "ok" });
    const rotated = await countersign(["identity", "rotate", "--json"], world.options);
    expect(rotated).toMatchObject({ code: 0 });
    const { codex_homes, agent_public_key } = JSON.parse(rotated.stdout);
    expect(codex_homes).toEqual([codexHome]);
    const warnings = warningsOf(rotated);
    expect(warnings).toHaveLength(1);
    expect(rotated.stderr + rotated.stdout).not.toContain("\u001b[2J");
    expect((await doctor())("codex")).toMatchObject({
      state: "warn",
      remedy: expect.stringContaining("countersign identity export"),
    });
    expect((await doctor())("key")).toMatchObject({ state: "ok" });
    await authority.process[Symbol.asyncDispose]();
    const exported = await follow(warnings[0] ?? "", world.options);
    expect(exported, exported.stderr).toMatchObject({ code: 0 });
    expect(exported.stdout).not.toContain("\u001b");
    expect(await codexLine()).toBe(agent_public_key);
  });

  test("is not warned of where Codex has another agent, or none, by now", async () => {
    await setCodexKey({ agent_runtime_id: "agent_of_codex" });
    const rotated = await countersign(["identity", "rotate", "--json"], world.options);
    expect(warningsOf(rotated)).toEqual([]);
    expect(JSON.parse(rotated.stdout)).not.toHaveProperty("codex_homes");
  });

  test("is exported again where its home does not know the keys before", async () => {
    await output(["identity", "rotate"], world.options);
    await editStored(({ former_public_keys: _, ...entry }) => entry);
    await output(args("export"), world.options);
    expect(await codexLine()).toBe(await storedLine());
    expect(await liveLines()).toHaveLength(2);
  });

  test("is not exported while the rotation is not finished, and the hint finishes it", async () => {
    const private_key = AgentKey.generate().exportPkcs8();
    await setCodexKey({ agent_private_key: AgentKey.generate().exportPkcs8() });
    await editStored((entry) => ({ ...entry, next_private_key: private_key }));
    const refused = await countersign(args("export"), world.options);
    expectError(refused, "invalid_request", 1);
    expect(await follow(hintOf(refused), world.options)).toMatchObject({ code: 0 });
    expect(await liveLines()).toContain(publicLineOf({ private_key }));
  });
});

describe("a Codex home with the newer key", () => {
  let other: Options;

  beforeEach(async () => {
    await output(["identity", "ensure"], world.options);
    await output(args("export"), world.options);
    other = await otherHome();
    await output(args("import"), other);
    const rotated = await countersign(["identity", "rotate"], other);
    expect(rotated.stderr).toContain("warning: Codex still has the former key");
    await output(args("export"), other);
  });

  test("is not overwritten; the hint takes its key over (G-K5)", async () => {
    const before = contentOf(codexHome);
    const refused = await countersign(args("export"), world.options);
    expectError(refused, "invalid_request", 1);
    expect(refused.stderr).toContain("holds a newer key");
    expect(contentOf(codexHome)).toEqual(before);
    expect((await doctor())("key")).toMatchObject({ state: "warn" });
    expect(await followHints(refused, world.options)).toBe(1);
    expect(await storedLine()).toBe(await storedLine(other));
    expect(await codexLine()).toBe(await storedLine());
    expect((await doctor())("key")).toMatchObject({ state: "ok" });
    await output(args("export"), world.options);
  });

  test("is told of by doctor, without a loss, once the former key has ended", async () => {
    await output(["task", "ensure", "--thread", "t"], other);
    const check = (await doctor())("key");
    expect(check).toMatchObject({ state: "fail", message: expect.stringContaining("has ended") });
    expect(check.remedy).toContain("countersign identity import");
    await output(args("import"), world.options);
    expect((await doctor())("key")).toMatchObject({ state: "ok" });
  });

  test.each([
    { what: "the authority cannot be reached", code: "unreachable", exit: 5 },
    { what: "no login is stored here", code: "not_logged_in", exit: 3 },
  ])("stays, with both keys, where $what", async ({ code, exit }) => {
    if (code === "unreachable") await authority.process[Symbol.asyncDispose]();
    else await output(["logout"], world.options);
    const before = contentOf(world.folder.path);
    for (const command of ["export", "import"] as const) {
      expectError(await countersign(args(command), world.options), code, exit);
    }
    const after = contentOf(world.folder.path);
    const changed = Object.keys(before).filter((path) => before[path] !== after[path]);
    // The authority writes to its database and the files beside it when it likes.
    expect(changed.filter((path) => !path.includes("/authority.db"))).toEqual([]);
  });

  test("that the authority does not know is neither overwritten nor taken over", async () => {
    await setCodexKey({ agent_private_key: AgentKey.generate().exportPkcs8() });
    const before = contentOf(codexHome);
    for (const command of ["export", "import"] as const) {
      const refused = await countersign(args(command), world.options);
      expectError(refused, "invalid_request", 1);
      expect(refused.stderr).toContain("does not confirm");
    }
    expect(contentOf(codexHome)).toEqual(before);
    // What came from elsewhere has not become the agent's key.
    expect(await liveLines()).toContain(await storedLine(other));
    expect(await liveLines()).not.toContain(await codexLine());
  });
});

test("an older key of a Codex home is not imported, and the hint gives Codex the newer one", async () => {
  await output(["identity", "ensure"], world.options);
  await output(args("export"), world.options);
  await output(["identity", "rotate"], world.options);
  const line = await storedLine();
  const refused = await countersign(args("import"), world.options);
  expectError(refused, "invalid_request", 1);
  expect(refused.stderr).toContain("holds a former key");
  expect(await followHints(refused, world.options)).toBe(1);
  expect([await storedLine(), await codexLine()]).toEqual([line, line]);
});

test("another agent of the same user is neither exported over nor imported over, and the hints lose neither (G-K5)", async () => {
  await output(["identity", "ensure"], world.options);
  await output(args("export"), world.options);
  await setCodexKey({
    agent_runtime_id: "agent_of_codex",
    agent_private_key: AgentKey.generate().exportPkcs8(),
  });
  const before = contentOf(codexHome);
  for (const command of ["export", "import"] as const) {
    const refused = await countersign(args(command), world.options);
    expectError(refused, "invalid_request", 1);
    expect(refused.stderr).not.toContain("forget");
    const home = join(world.folder.path, command);
    const followed = await follow(hintOf(refused).replace("FOLDER", home), {
      ...world.options,
      home,
    });
    expect(followed, followed.stderr).toMatchObject({ code: 0 });
    expect(contentOf(codexHome)).toEqual(before);
    expect(await json(["identity", "list"], { ...world.options, home })).toHaveLength(1);
  }
});
