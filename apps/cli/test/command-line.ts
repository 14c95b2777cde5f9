import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { fileStore, saveLogin } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import {
  type ProcessResult,
  runProcess,
  startProcess,
  type TestProcess,
} from "@countersign/testing";
import { effort } from "@countersign/testing/effort";
import { expect } from "vitest";
import { ResidentPool } from "./resident/resident-pool.js";

/** The built command. */
export const BIN = fileURLToPath(new URL("../dist/bin.js", import.meta.url));

/** How to run the built command. */
export interface CommandOptions {
  readonly home: string;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly input?: string | undefined;
  readonly cwd?: string | undefined;
  /**
   * Runs it in a process of its own in the quick effort too. For a test of what a process is: how it starts and is killed, what it loads, what its
   * streams are connected to. Default: false, except where no other process shows it truly; see {@link needsOwnProcess}.
   */
  readonly ownProcess?: boolean | undefined;
}

// They end with the process that runs the tests.
const residents = new ResidentPool(BIN);

/** The environment of the built command, without the variables of the user's shell that would change a result. */
export function environmentOf({ home, env }: CommandOptions): Record<string, string | undefined> {
  const cleared = Object.keys(process.env)
    .filter((name) => /^(COUNTERSIGN_|NODE_OPTIONS$|FORCE_COLOR$|NO_COLOR$)/.test(name))
    .map((name) => [name, undefined] as const);
  return { ...Object.fromEntries(cleared), COUNTERSIGN_HOME: home, ...env };
}

/**
 * Runs the built command to its end: in a process of its own, or in the quick effort in one that has loaded the program before; see
 * `test/processes/resident.ts`.
 */
export async function countersign(
  args: readonly string[],
  options: CommandOptions,
): Promise<ProcessResult> {
  const env = environmentOf(options);
  const { input, cwd, ownProcess = needsOwnProcess(args, options) } = options;
  if (effort === "full" || ownProcess) {
    return await runProcess(process.execPath, [BIN, ...args], { env, input, cwd });
  }
  return await residents.run({
    args,
    env: definedOf({ ...process.env, ...env }),
    cwd: cwd ?? process.cwd(),
    input: input ?? "",
  });
}

/** Node and native modules read some variables once for a process; and the child of `codex run` gets the streams of the process. */
function needsOwnProcess([command, subcommand]: readonly string[], { env }: CommandOptions) {
  const isReadOnce = (name: string) => /^(NODE_|SSL_|OPENSSL_|UV_|DBUS_)/.test(name);
  return (command === "codex" && subcommand === "run") || Object.keys(env ?? {}).some(isReadOnce);
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Runs the built command to its end as another user, which root alone can do. */
export async function countersignAs(
  uid: number,
  args: readonly string[],
  options: CommandOptions,
): Promise<ProcessResult> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: definedOf({ ...process.env, ...environmentOf(options) }),
    cwd: options.cwd,
    uid,
    gid: uid,
  });
  child.stdin.on("error", () => undefined).end(options.input);
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, signal, stdout, stderr };
}

/** Starts the built command. */
export async function startCountersign(
  args: readonly string[],
  options: CommandOptions,
): Promise<TestProcess> {
  return await startProcess(process.execPath, [BIN, ...args], { env: environmentOf(options) });
}

/** Runs the built command and gives what it printed; it must end with 0. */
export async function output(args: readonly string[], options: CommandOptions): Promise<string> {
  const result = await countersign(args, options);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result.stdout;
}

/** Runs the built command with `--json` and parses what it printed; it must end with 0. */
export async function json(args: readonly string[], options: CommandOptions) {
  return JSON.parse(await output([...args, "--json"], options));
}

/** Expects one clear error: its code, its exit code, a hint, no stack trace. */
export function expectError(result: ProcessResult, code: string, exitCode: number): void {
  const lines = result.stderr.trimEnd().split("\n");
  const errors = lines.filter((line) => line.startsWith("error: "));
  expect(errors, result.stderr).toHaveLength(1);
  expect(errors[0]).toMatch(new RegExp(`^error: .+ \\(${code}\\)$`));
  expect(lines.filter((line) => line.startsWith("hint: "))).toHaveLength(1);
  expect(result.stderr).not.toMatch(/^\s+at |node:internal|\.js:\d+/m);
  expect(result.code).toBe(exitCode);
}

/** Names every file below a folder with a hash of its content, to see that nothing changed. */
export function contentOf(folder: string): Readonly<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    content[path] = entry.isFile()
      ? createHash("sha256").update(readFileSync(path)).digest("hex")
      : "folder";
  }
  return content;
}

/** Whose login a test starts with. */
export interface TestLogin {
  readonly authority: string;
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  readonly accessToken?: string | undefined;
}

/** Puts a login into a home as `login` does, without a process of its own. What `login` itself does is tested with it. */
export async function storeLogin(home: string, login: TestLogin): Promise<void> {
  const { authority, accountId = "acct-1", userId = "user-1", accessToken = "t0ken" } = login;
  const stored = {
    authority,
    account_id: accountId,
    user_id: userId,
    kind: "human",
    proof: "bearer",
    access_token: accessToken,
    logged_in_at: "2026-03-23T12:00:00Z",
  } as const;
  await saveLogin(fileStore(home), stored, { insecureHttp: true });
}

/** Puts a registered agent with a key of its own into a home, for the login's user unless told otherwise; gives what `identity show` would. */
export async function storeIdentity(home: string, { authority, accountId = "acct-1" }: TestLogin) {
  const key = AgentKey.generate();
  const identity = {
    authority,
    account_id: accountId,
    user_id: "user-1",
    agent_runtime_id: `agent_of_${accountId}`,
    registered_at: "2026-03-23T12:00:00Z",
  };
  const entry = { ...identity, private_key: key.exportPkcs8(), state: "registered" } as const;
  await fileStore(home).update((current) => ({
    ...current,
    identities: [...current.identities, entry],
  }));
  return { ...identity, agent_public_key: key.publicKey.line };
}
