import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseAssertion } from "@countersign/agent-assertion";
import { fileStore } from "@countersign/agent-identity";
import {
  runProcess,
  startTestAuthority,
  type TestAuthority,
  temporaryDirectory,
} from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { HEADER_FILE } from "../src/header/header-decision.js";
import { type KnownHeaderOptions, signKnownHeader } from "../src/header/known-header.js";
import { readVersion } from "../src/version.js";
import { BIN, countersign, environmentOf, expectError, output } from "./command-line.js";

const LOADED_MODULES = fileURLToPath(new URL("processes/loaded-modules.mjs", import.meta.url));
const DIST = new URL("./", pathToFileURL(BIN)).href;
// What the first file shares with the rest of the program: the version, and how bundled code requires a module.
const CHUNKS = [expect.stringMatching(/^chunk-\w+\.js$/), expect.stringMatching(/^chunk-\w+\.js$/)];
const env = { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "1" };

let home: string;
let authority: TestAuthority;

/** What the quick way prints in this home; `undefined`: it leaves the header to the program. */
function quickly(
  args: readonly string[],
  { environment, ...changes }: Partial<KnownHeaderOptions> = {},
): string | undefined {
  return signKnownHeader({
    args,
    version: readVersion(),
    now: Date.now(),
    environment: { COUNTERSIGN_HOME: home, ...env, ...environment },
    ...changes,
  });
}

function idsOf(line: string | undefined) {
  const { agentRuntimeId, taskId } = parseAssertion(line?.trim().slice("Authorization: ".length));
  return { agentRuntimeId, taskId };
}

describe("a header whose agent and task are decided", () => {
  beforeEach(async () => {
    const folder = await temporaryDirectory();
    onTestFinished(() => folder.remove());
    home = join(folder.path, "home");
    authority = await startTestAuthority();
    onTestFinished(() => authority.close());
    const input = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    await output(["login", "--authority", authority.url, "--token-stdin"], { home, input });
    // The first one registers; the second finds everything in place, and its decision is kept.
    await output(["header"], { home, env });
    await output(["header"], { home, env });
  });

  test("is signed again with the time of the request, also when the authority is away", async () => {
    await authority.close();
    const line = await output(["header"], { home, env, ownProcess: true });
    expect(idsOf(line)).toEqual({ agentRuntimeId: "agent_1", taskId: "task_1" });
    const later = Date.now() + 3_600_000;
    const assertion = parseAssertion(quickly(["header"], { now: later })?.slice(15));
    expect(assertion.issuedAt).toBe(later - (later % 1000));
    expect(idsOf(quickly(["header", "--thread", "cli"]))).toEqual(idsOf(line));
  });

  test("is left to the program for another thread, option, feature or authority", async () => {
    expect(quickly(["header"])).toBeDefined();
    expect(quickly(["header", "--thread", "other"])).toBeUndefined();
    expect(quickly(["header", "--json"])).toBeUndefined();
    expect(quickly(["header", "--disable", "use_agent_identity"])).toBeUndefined();
    for (const [name, value] of [
      ["COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY", "0"],
      ["COUNTERSIGN_THREAD", "other"],
      ["COUNTERSIGN_AUTHORITY", "https://other.example"],
      ["COUNTERSIGN_HOME", "relative"],
    ] as const) {
      expect(quickly(["header"], { environment: { [name]: value } }), name).toBeUndefined();
    }
  });

  test("is left to the program once the feature was switched off, and after a logout", async () => {
    await output(["features", "disable", "use_agent_identity"], { home });
    expect(quickly(["header"])).toBeUndefined();
    await output(["logout"], { home });
    expect(quickly(["header"])).toBeUndefined();
    expectError(await countersign(["header"], { home, env }), "not_logged_in", 3);
  });

  test("is left to the program from a minute before the end of its task", async () => {
    const file = join(home, HEADER_FILE);
    const kept = JSON.parse(await readFile(file, "utf8"));
    const [fingerprint = "", decision] = Object.entries(kept.decisions)[0] ?? [];
    const until = Date.now();
    const decisions = { [fingerprint]: { ...(decision as object), until } };
    await writeFile(file, JSON.stringify({ ...kept, decisions }));
    expect(quickly(["header"], { now: until })).toBeDefined();
    expect(quickly(["header"], { now: until + 1 })).toBeUndefined();
  });

  test("is left to the program where the agent has another key than the decision names", async () => {
    const file = join(home, HEADER_FILE);
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/ssh-ed25519 \S{60}/, `ssh-ed25519 ${"A".repeat(60)}`));
    expect(quickly(["header"])).toBeUndefined();
  });

  test("loads four files, and nothing of a package", async () => {
    const { files, builtins } = await modulesLoadedBy(["header"]);
    expect(files).toEqual(["bin.js", ...CHUNKS, "known-header.cjs"]);
    expect(builtins).toEqual(["node:crypto", "node:fs", "node:os", "node:path", "node:util"]);
  });
});

test("nothing secret is in the file of the decisions (G-H8)", async () => {
  await using folder = await temporaryDirectory();
  await using server = await startTestAuthority();
  const options = { home: folder.path, env };
  const input = server.addHuman({ accountId: "acct-1", userId: "user-1" });
  await output(["login", "--authority", server.url, "--token-stdin"], { ...options, input });
  for (let run = 0; run < 2; run += 1) await output(["header"], options);
  const text = await readFile(join(folder.path, HEADER_FILE), "utf8");
  const { login, identities } = await fileStore(folder.path).load();
  expect(text).toContain("agent_1");
  expect(text).not.toContain(identities[0]?.private_key);
  expect(text).not.toContain(input);
  expect(text).not.toContain("AgentAssertion");
  expect(login?.kind).toBe("human");
});

test("a file of decisions that cannot be read is no error", async () => {
  await using folder = await temporaryDirectory();
  await writeFile(join(folder.path, HEADER_FILE), "broken");
  const environment = { COUNTERSIGN_HOME: folder.path };
  expect(quickly(["header"], { environment })).toBeUndefined();
});

test("a home that cannot be looked at is the error of every command", async () => {
  const tooLong = `/${"a".repeat(5000)}`;
  expect(quickly(["header"], { environment: { COUNTERSIGN_HOME: tooLong } })).toBeUndefined();
  expectError(await countersign(["header"], { home: tooLong, env }), "store_denied", 1);
});

test("--version loads no built-in module, and nothing of a package", async () => {
  home = "/nowhere";
  expect(await modulesLoadedBy(["--version"])).toEqual({
    files: ["bin.js", ...CHUNKS],
    builtins: [],
  });
});

// What a process loads: its files by their names, and the built-in modules.
async function modulesLoadedBy(args: readonly string[]) {
  const command = ["--import", LOADED_MODULES, BIN, ...args];
  const result = await runProcess(process.execPath, command, { env: environmentOf({ home, env }) });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  const urls: string[] = JSON.parse(result.stderr);
  return {
    files: urls.filter((url) => !url.startsWith("node:")).map((url) => url.replace(DIST, "")),
    builtins: [...new Set(urls.filter((url) => url.startsWith("node:")))].sort(),
  };
}
