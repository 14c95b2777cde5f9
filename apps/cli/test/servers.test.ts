import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRegistry, openStore, type TokenRole } from "@countersign/agent-authority";
import {
  headerOf,
  startTestUpstream,
  type TemporaryDirectory,
  type TestProcess,
  type TestUpstream,
  temporaryDirectory,
} from "@countersign/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  contentOf,
  countersign,
  expectError,
  json,
  output,
  startCountersign,
  storeLogin,
} from "./command-line.js";

const ON = { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "1" };

let folder: TemporaryDirectory;
let upstream: TestUpstream;
let running: TestProcess[];
let home: string;
let database: string;
let onDatabase: readonly string[];

beforeEach(async () => {
  folder = await temporaryDirectory();
  upstream = await startTestUpstream();
  running = [];
  home = join(folder.path, "home");
  database = `sqlite:${join(folder.path, "authority.db")}`;
  onDatabase = ["--database", database];
});
afterEach(async () => {
  for (const process of running) await process[Symbol.asyncDispose]();
  await upstream.close();
  await folder.remove();
});

async function start(args: readonly string[], env: Record<string, string> = {}) {
  const process = await startCountersign(args, { home, env });
  running.push(process);
  const [, url = ""] = await process.waitForLine(/^listening on (http:\/\/\S+)$/);
  return { process, url };
}

const serve = (args: readonly string[] = []) =>
  start(["authority", "serve", "--listen", "127.0.0.1:0", ...onDatabase, ...args]);

// Made by the registry itself: what the command prints is tested once.
async function createToken(role: TokenRole = "human"): Promise<string> {
  const store = await openStore(database);
  const human = { accountId: "acct-1", userId: "user-1", role, ttlSeconds: 3600 };
  const { token } = await createRegistry(store).createAccessToken(human);
  await store.close();
  return token;
}

const TOKEN_CREATE = ["authority", "token", "create", "--account", "acct-1", "--user", "user-1"];

async function logIn(authority: string): Promise<void> {
  await storeLogin(home, { authority, accessToken: await createToken() });
}

describe("what cannot be served or operated is said", () => {
  test("rejects a database that is not there, and makes none", async () => {
    for (const args of [
      ["agents", "list"],
      ["tasks", "revoke", "t"],
      ["token", "list"],
    ]) {
      expectError(
        await countersign(["authority", ...args, ...onDatabase], { home }),
        "config_invalid",
        2,
      );
    }
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects a database of a kind that is not served, without repeating its password", async () => {
    const args = [
      "authority",
      "serve",
      "--listen",
      "127.0.0.1:0",
      "--database",
      "postgres://u:s3cr3t@db.example/x",
    ];
    const result = await countersign(args, { home });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).not.toContain("s3cr3t");
  });

  test("rejects an empty file where an authority's database should be, and leaves it empty", async () => {
    await writeFile(join(folder.path, "authority.db"), "");
    const before = contentOf(folder.path);
    const result = await countersign(["authority", "token", "list", ...onDatabase], { home });
    expectError(result, "config_invalid", 2);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("rejects a file that is no database", async () => {
    await writeFile(join(folder.path, "authority.db"), "hello ".repeat(1000));
    expectError(
      await countersign(["authority", "agents", "list", ...onDatabase], { home }),
      "store_corrupt",
      1,
    );
  });

  test.each([
    { what: "an unknown key", text: "agent_tll = '1h'" },
    { what: "a generation that is not served", text: "generations = ['B']" },
    { what: "a duration that is none", text: "agent_ttl = 'long'" },
    { what: "broken TOML", text: "public_url = " },
  ])("rejects an authority's configuration with $what", async ({ text }) => {
    const file = join(folder.path, "authority.toml");
    await writeFile(file, text);
    const args = ["authority", "serve", "--listen", "127.0.0.1:0", "--config", file, ...onDatabase];
    const result = await countersign(args, { home });
    expect(result.stderr).toContain(file);
    expect(result.code).toBe(2);
  });

  test("rejects an address that is taken", async () => {
    const { url } = await serve();
    const args = ["authority", "serve", "--listen", new URL(url).host];
    const before = contentOf(folder.path);
    // On the database in the home, which does not exist: it is not made for nothing.
    const result = await countersign(args, { home });
    expectError(result, "address_in_use", 1);
    expect(result.stderr).toContain(new URL(url).host);
    expect(Object.keys(contentOf(folder.path))).toEqual(Object.keys(before));
  });

  test("rejects an address of another machine and makes no database", async () => {
    const args = ["authority", "serve", "--listen", "192.0.2.1:0"];
    const result = await countersign(args, { home });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("192.0.2.1:0");
    expect(contentOf(folder.path)).toEqual({});
  });

  test("rejects a role and an id that do not exist", async () => {
    await createToken();
    for (const group of ["agents", "tasks"]) {
      const result = await countersign(["authority", group, "show", "none", ...onDatabase], {
        home,
      });
      expectError(result, group === "agents" ? "unknown_agent" : "unknown_task", 1);
    }
    const args = ["authority", "token", "create", "--account", "a b", "--user", "u", ...onDatabase];
    expectError(await countersign(args, { home }), "usage", 2);
  });

  test("rejects a gateway that others can reach and that is not told whom it serves", async () => {
    const args = ["gateway", "--listen", "0.0.0.0:0", "--upstream", upstream.url];
    const result = await countersign([...args, "--authority", "http://127.0.0.1:1"], { home });
    expectError(result, "usage", 2);
    expect(result.stderr).toContain("--account");
    expect(result.stdout).toBe("");
  });

  test("rejects an audit file that cannot be opened", async () => {
    const args = [
      "gateway",
      "--listen",
      "127.0.0.1:0",
      "--upstream",
      upstream.url,
      "--authority",
      "http://127.0.0.1:1",
    ];
    await mkdir(join(folder.path, "audit"));
    const result = await countersign([...args, "--audit", join(folder.path, "audit")], { home });
    expectError(result, "config_invalid", 2);
  });
});

describe("authority", () => {
  test("prints a token alone and keeps it only as a hash", async () => {
    const token = await output([...TOKEN_CREATE, ...onDatabase], { home });
    expect(token).toMatch(/^cs_human_[\w-]+\n$/);
    const file = join(folder.path, "authority.db");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file)).includes(token.trim())).toBe(false);
    const [listed] = await json(["authority", "token", "list", ...onDatabase], { home });
    expect(listed).toMatchObject({
      role: "human",
      account_id: "acct-1",
      user_id: "user-1",
      state: "active",
    });
    expect(JSON.stringify(listed)).not.toContain(token.trim());
  });

  test("a token that was revoked while the authority runs lets nobody in", async () => {
    const { url } = await serve();
    const { id, token } = await json([...TOKEN_CREATE, ...onDatabase], { home });
    const login = ["login", "--authority", url, "--token-stdin"];
    await output(login, { home, input: token });
    await output(["authority", "token", "revoke", id, ...onDatabase], { home });
    expectError(await countersign(login, { home, input: token }), "unauthenticated", 4);
  });

  test("uses a database in the home unless told otherwise, and ends with 0 when asked to", async () => {
    const { process } = await start(["authority", "serve", "--listen", "127.0.0.1:0"]);
    process.kill("SIGTERM");
    expect(await process.exited).toMatchObject({ code: 0, stderr: "" });
    expect((await stat(join(home, "authority.db"))).isFile()).toBe(true);
    expect((await stat(home)).mode & 0o777).toBe(0o700);
  });

  test("serves only the generations that its configuration names", async () => {
    const file = join(folder.path, "authority.toml");
    await writeFile(file, 'generations = ["A"]\n');
    const { url } = await serve(["--config", file]);
    const token = await createToken();
    const login = ["login", "--authority", url, "--token-stdin"];
    await output(login, { home, input: token });
    expect((await countersign(["identity", "ensure"], { home, env: ON })).code).toBe(4);
    await output([...login, "--proof", "biscuit"], { home, input: token });
    await output(["identity", "ensure"], { home, env: ON });
  });
});

describe("gateway", () => {
  async function world(gatewayArgs: readonly string[] = []) {
    const authority = await serve();
    await logIn(authority.url);
    const audit = join(folder.path, "audit.jsonl");
    const gateway = await start(
      [
        ...[
          "gateway",
          "--listen",
          "127.0.0.1:0",
          "--upstream",
          upstream.url,
          "--authority",
          authority.url,
        ],
        ...[
          "--audit",
          audit,
          "--revocation-delay",
          "0s",
          "--upstream-header",
          "Authorization: env:UPSTREAM",
        ],
        ...gatewayArgs,
      ],
      { UPSTREAM: "Bearer upstream-key" },
    );
    const request = (...args: string[]) =>
      countersign(["request", `${gateway.url}/v1/x`, "--origin", gateway.url, ...args], {
        home,
        env: ON,
      });
    const readAudit = async () =>
      (await readFile(audit, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    return { authority, gateway, request, readAudit };
  }

  test("verifies, passes on with its own credential, and writes an audit line for each request", async () => {
    const { gateway, request, readAudit } = await world([
      "--public-url",
      "https://gateway.example",
    ]);
    expect((await fetch(`${gateway.url}/v1/x`)).status).toBe(401);
    expect(await request("--thread", "t")).toMatchObject({ code: 0, stdout: '{"ok":true}' });
    const [task] = await json(["authority", "tasks", "list", ...onDatabase], { home });
    expect(task).toMatchObject({
      account_id: "acct-1",
      user_id: "user-1",
      state: "active",
      created_at: expect.any(String),
    });
    expect(upstream.requests).toHaveLength(1);
    const [received] = upstream.requests;
    if (received === undefined) expect.unreachable();
    expect(headerOf(received, "x-agent-task-id")).toBe(task.task_id);
    expect(headerOf(received, "x-agent-runtime-id")).toBe(task.agent_runtime_id);
    expect(headerOf(received, "authorization")).toBe("Bearer upstream-key");
    gateway.process.kill("SIGTERM");
    expect(await gateway.process.exited).toMatchObject({ code: 0, stderr: "" });
    expect(await readAudit()).toMatchObject([
      { method: "GET", path: "/v1/x", status: 401, code: "missing" },
      { method: "GET", path: "/v1/x", status: 200, account_id: "acct-1", task_id: task.task_id },
    ]);
  });

  test("refuses what was revoked while it runs", async () => {
    const { request } = await world();
    await request();
    const [task] = await json(["authority", "tasks", "list", ...onDatabase], { home });
    await output(["authority", "tasks", "revoke", task.task_id, ...onDatabase], { home });
    expect(await request()).toMatchObject({ code: 0 });
    const tasks = await json(["authority", "tasks", "list", ...onDatabase], { home });
    expect(tasks.map(({ state }: { state: string }) => state).sort()).toEqual([
      "active",
      "revoked",
    ]);
    await output(["authority", "agents", "revoke", task.agent_runtime_id, ...onDatabase], { home });
    const received = upstream.requests.length;
    expectError(await request(), "agent_revoked", 4);
    expect(upstream.requests).toHaveLength(received);
    expect(await json(["authority", "agents", "list", ...onDatabase], { home })).toHaveLength(1);
  });

  test("serves no other account than it is told", async () => {
    const { request } = await world(["--account", "acct-2"]);
    expectError(await request(), "forbidden", 4);
    expect(upstream.requests).toHaveLength(0);
  });

  test("reads the authority's own database as well, as verify does", async () => {
    const authority = await serve();
    await logIn(authority.url);
    const gateway = await start([
      "gateway",
      "--listen",
      "127.0.0.1:0",
      "--upstream",
      upstream.url,
      ...onDatabase,
    ]);
    await output(["request", gateway.url, "--origin", gateway.url], { home, env: ON });
    const input = await output(["header"], { home, env: ON });
    const verified = await json(["verify", ...onDatabase], { home, input });
    expect(verified).toMatchObject({ valid: true, account_id: "acct-1" });
  });

  test("takes the token for the directory from a file or the environment", async () => {
    const file = join(folder.path, "token");
    await writeFile(file, await createToken("resource_server"), { mode: 0o600 });
    const authorityFile = join(folder.path, "authority.toml");
    await writeFile(authorityFile, 'public_url = "https://authority.example"\n');
    const authority = await serve(["--config", authorityFile]);
    await logIn(authority.url);
    const input = await output(["header"], { home, env: ON });
    const ask = ["verify", "--authority", authority.url];
    expect((await countersign(ask, { home, input })).code).toBe(4);
    const asked = await json([...ask, "--authority-token", `file:${file}`], { home, input });
    expect(asked).toMatchObject({ valid: true });
    const env = { RS_TOKEN: (await readFile(file, "utf8")).trim() };
    expect(
      await json([...ask, "--authority-token", "env:RS_TOKEN"], { home, input, env }),
    ).toMatchObject({ valid: true });
  });
});
