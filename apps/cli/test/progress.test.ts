import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { startProcess, startTestUpstream, type TestAuthority } from "@countersign/testing";
import { beforeEach, expect, test } from "vitest";
import {
  BIN,
  countersign,
  environmentOf,
  json,
  output,
  startCountersign,
  storeLogin,
} from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

// From util-linux: runs a command on a terminal of its own.
const SCRIPT = "/usr/bin/script";
const hasTerminal = process.platform === "linux" && existsSync(SCRIPT);
if (!hasTerminal) console.log(`not tested on a terminal: there is no ${SCRIPT} of util-linux`);
const [ERASE_LINE, HIDE_CURSOR, SHOW_CURSOR] = ["\u001b[0K", "\u001b[?25l", "\u001b[?25h"];

let authority: TestAuthority;
let options: { home: string; env: Record<string, string | undefined> };

beforeEach(async () => {
  const world = await freshWorld();
  authority = world.authority;
  options = { ...world.options, env: { ...world.options.env, CI: undefined, TERM: "xterm" } };
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
  await storeLogin(options.home, { authority: authority.url });
  await output(["identity", "ensure"], options);
});

test.skipIf(!hasTerminal)(
  "on a terminal a spinner says what is waited for and how long it takes, and leaves nothing behind",
  async () => {
    const release = Promise.withResolvers<void>();
    authority.fault("register_task", { kind: "hold", until: release.promise });
    const command = `${process.execPath} ${BIN} task ensure --json`;
    await using running = await startProcess(
      SCRIPT,
      ["--quiet", "--return", "--command", command, "/dev/null"],
      { env: environmentOf(options) },
    );
    await expect
      .poll(() => stripVTControlCharacters(running.stdout), { timeout: 60_000 })
      .toMatch(/[⠁-⣿] registering a task with \S+ \(1 s\)/);
    release.resolve();
    const { code, stdout } = await running.exited;
    expect(code).toBe(0);
    // Its last frame is erased before the result is printed, and the cursor is shown again.
    const [, ...erased] = stdout.split(ERASE_LINE);
    expect(erased.at(-1)).toMatch(/^\{.*"task_id":"task_1".*\}\r\n$/);
    expect(stdout.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(stdout.lastIndexOf(HIDE_CURSOR));
  },
);

test("elsewhere each state is one line on stderr, whatever time it takes", async () => {
  const release = Promise.withResolvers<void>();
  authority.fault("register_task", { kind: "status", status: 503 });
  authority.fault("register_task", { kind: "hold", until: release.promise });
  await using running = await startCountersign(["task", "ensure", "--json"], options);
  await running.waitForLine(/^asking \S+ again \(server_error\)$/);
  release.resolve();
  const { code, stdout, stderr } = await running.exited;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ task_id: "task_1" });
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("warning: "));
  expect(new Set(lines).size).toBe(lines.length);
  expect(stderr).not.toContain("\u001b");
});

test("a quota that is used up is waited for, which is said with the time, and can be interrupted", async () => {
  authority.fault("register_task", {
    kind: "status",
    status: 429,
    headers: { "retry-after": "20" },
  });
  await using running = await startCountersign(["task", "ensure", "--json"], options);
  await running.waitForLine(/^too many requests: asking again in 2\d s \(rate_limited\)$/);
  running.kill("SIGINT");
  const { code, stdout } = await running.exited;
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: "cancelled" } });
});

test("a fallback to the human's token is said on stderr, once for the thread", async () => {
  await using upstream = await startTestUpstream();
  const origins = `origins = ["${upstream.url}"]\nbearer_origins = ["${upstream.url}"]\n`;
  await writeFile(
    join(options.home, "config.toml"),
    `authority = "${authority.url}"\non_failure = "bearer"\n${origins}`,
    { mode: 0o600 },
  );
  authority.fault("register_task", { kind: "status", status: 503 }, Number.POSITIVE_INFINITY);
  // The redirect makes a second request of the same thread, which falls back again.
  upstream.answer({ status: 307, headers: { location: `${upstream.url}/second` } });
  const result = await countersign(["request", upstream.url, "--thread", "t"], options);
  expect(result, result.stderr).toMatchObject({ code: 0, stdout: '{"ok":true}' });
  expect(upstream.requests).toHaveLength(2);
  const said = result.stderr.match(/^warning: no task for the thread t \(server_error\): .*$/gm);
  expect(said).toEqual([expect.stringContaining(`${upstream.url} alone`)]);
  expect(result.stderr).not.toContain("t0ken");
  expect(await json(["task", "list"], options)).toEqual([]);
});
