import { createRegistry, openStore, type Registry } from "@countersign/agent-authority";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { countersign, expectError, json, output, startCountersign } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const BARRED = { evenIfUnknown: true };

let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
});

/** Does something with the registry of this test's database. */
async function operate<T>(work: (registry: Registry) => Promise<T>): Promise<T> {
  await using store = await openStore(world.onDatabase[1] ?? "");
  return await work(createRegistry(store, { generations: ["B", "C"], maxLiveAgents: 2_000 }));
}

/** Starts an authority with an admin listener. */
async function serveAdmin(address = "127.0.0.1:0") {
  const args = ["authority", "serve", "--json", "--listen", "127.0.0.1:0"];
  const server = await startCountersign([...args, "--admin-listen", address, ...world.onDatabase], {
    home: world.home,
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const [line] = await server.waitForLine(/^\{"listening":.*\}$/);
  const { listening, admin } = JSON.parse(line);
  const stop = async () => {
    server.kill("SIGTERM");
    await server.exited;
  };
  return { url: String(listening), admin: String(admin), stop };
}

/** How commands reach the registry: by the database, or by an admin listener with a token. */
const WAYS = {
  "the database": async () => ({ on: world.onDatabase, options: { home: world.home } }),
  "the admin API": async () => {
    const { admin } = await serveAdmin();
    // Of an account of its own: a token ends with the account that it names.
    const whose = { accountId: "operators", userId: "operator-1", ttlSeconds: 3_600 };
    const { token } = await operate((registry) =>
      registry.createAccessToken({ ...whose, role: "operate", scopes: ["tokens"] }),
    );
    const env = { ADMIN_TOKEN: token };
    const on = ["--authority", admin, "--authority-token", "env:ADMIN_TOKEN"];
    return { on, options: { home: world.home, env } };
  },
};

describe("what names a registry", () => {
  test.each([
    {
      what: "two registries",
      args: ["--authority", "http://127.0.0.1:1", "--database", "sqlite:x"],
    },
    { what: "an authority without a token", args: ["--authority", "http://127.0.0.1:1"] },
    { what: "a token without an authority", args: ["--authority-token", "env:X"] },
    {
      what: "a token in place of where it is",
      args: ["--authority", "http://127.0.0.1:1", "--authority-token", "cs_operate_s3cr3t"],
    },
    { what: "a limit of 0", args: ["--limit", "0"] },
    { what: "an unknown state", args: ["--state", "dead"] },
  ])("rejects $what", async ({ args }) => {
    const env = { X: "cs_operate_x" };
    const result = await countersign(["authority", "agents", "list", ...args], {
      home: world.home,
      env,
    });
    expectError(result, "usage", 2);
    expect(result.stderr).not.toContain("s3cr3t");
  });

  test("is no plain http to another machine, nor an authority that is not there or refuses", async () => {
    const { home } = world;
    const list = (url: string, token: string) =>
      countersign(
        ["authority", "accounts", "list", "--authority", url, "--authority-token", "env:X"],
        {
          home,
          env: { X: token },
        },
      );
    expectError(await list("http://admin.example", "x"), "config_invalid", 2);
    expectError(await list("http://127.0.0.1:1", "x"), "unreachable", 5);
    const { url, admin } = await serveAdmin();
    const human = await list(admin, await world.createToken("human"));
    expectError(human, "unauthenticated", 4);
    expect(human.stderr).toContain("hint: name a live token of an operator");
    const client = await list(url, await world.createToken("operate"));
    expectError(client, "invalid_request", 4);
    expect(client.stderr).toContain("--admin-listen");
    const args = ["authority", "accounts", "revoke", "acct-1", "--authority", admin];
    const env = { X: await world.createToken("read") };
    const reader = await countersign([...args, "--authority-token", "env:X"], { home, env });
    expectError(reader, "forbidden", 4);
    expect(reader.stderr).toContain("hint: name a token that may do this");
  });
});

describe.each(Object.entries(WAYS))("by %s", (_, reach) => {
  test("agents, users and accounts are listed, revoked and restored", async () => {
    const { agentRuntimeId } = await operate((registry) =>
      registry.issueIdentity({ accountId: "acct-1", userId: "user-1", ttlSeconds: 3_600 }),
    );
    const { on, options } = await reach();
    const listed = await json(["authority", "agents", "list", "--user", "user-1", ...on], options);
    expect(listed).toEqual([
      expect.objectContaining({
        agent_runtime_id: agentRuntimeId,
        account_id: "acct-1",
        user_id: "user-1",
        state: "active",
        created_at: expect.stringMatching(/Z$/),
      }),
    ]);
    const text = await output(["authority", "agents", "list", ...on], options);
    expect(text.split("\n")[0]?.split(/ +/)).toEqual([
      "AGENT_RUNTIME_ID",
      "ACCOUNT_ID",
      "USER_ID",
      "STATE",
      "CREATED_AT",
      "LAST_USED_AT",
      "AGENT_HARNESS_ID",
      "CLAIMS",
    ]);
    expect(await json(["authority", "agents", "list", "--user", "other", ...on], options)).toEqual(
      [],
    );
    const states = async (...steps: string[][]) => {
      const found: string[] = [];
      for (const step of steps) {
        await output(["authority", ...step, ...on], options);
        found.push(
          (await json(["authority", "agents", "show", agentRuntimeId, ...on], options)).state,
        );
      }
      return found;
    };
    const user = ["--account", "acct-1", "--user", "user-1"];
    expect(
      await states(
        ["agents", "revoke", agentRuntimeId],
        ["agents", "restore", agentRuntimeId],
        ["users", "revoke", ...user],
        ["users", "restore", ...user],
        ["accounts", "revoke", "acct-1"],
      ),
    ).toEqual(["revoked", "active", "revoked", "active", "revoked"]);
    const users = await json(["authority", "users", "list", "--account", "acct-1", ...on], options);
    expect(users).toEqual([
      expect.objectContaining({ account_id: "acct-1", user_id: "user-1", state: "revoked" }),
    ]);
    const revoked = await json(
      ["authority", "accounts", "list", "--state", "revoked", ...on],
      options,
    );
    expect(revoked).toMatchObject([{ account_id: "acct-1", state: "revoked" }]);
    expect(
      await json(["authority", "accounts", "restore", "acct-1", ...on], options),
    ).toMatchObject({ state: "active" });
  });

  test("what stays revoked by something above it says so when it is shown or restored", async () => {
    const { agentRuntimeId } = await operate((registry) =>
      registry.issueIdentity({ accountId: "acct-1", userId: "user-1", ttlSeconds: 3_600 }),
    );
    await operate((registry) => registry.revokeAccount("acct-1"));
    const { on, options } = await reach();
    const run = (...args: string[]) => countersign(["authority", ...args, ...on], options);
    const restored = await run("agents", "restore", agentRuntimeId);
    expect(restored).toMatchObject({ code: 0, stdout: expect.stringMatching(/^state +revoked$/m) });
    expect(restored.stderr).toContain("its user or account is revoked: ");
    expect((await run("agents", "show", agentRuntimeId)).stderr).toBe(restored.stderr);
    const user = await run("users", "restore", "--account", "acct-1", "--user", "user-1");
    expect(user.stderr).toContain("its account is revoked: ");
    expect(await run("agents", "revoke", agentRuntimeId)).toMatchObject({ code: 0, stderr: "" });
    expect(await run("accounts", "restore", "acct-1")).toMatchObject({ code: 0, stderr: "" });
    expect((await run("agents", "show", agentRuntimeId)).stdout).toMatch(/^capabilities +-$/m);
  });

  test("what is not there is an error that names it", async () => {
    await world.createToken();
    const { on, options } = await reach();
    const run = (...args: string[]) => countersign(["authority", ...args, ...on], options);
    expectError(await run("agents", "restore", "none"), "unknown_agent", 1);
    expectError(await run("tasks", "restore", "none"), "unknown_task", 1);
    expectError(await run("token", "revoke", "none"), "invalid_request", 1);
    expectError(
      await run("users", "restore", "--account", "none", "--user", "none"),
      "invalid_request",
      1,
    );
    expectError(await run("accounts", "restore", "none"), "invalid_request", 1);
    expectError(await run("accounts", "revoke", "a b"), "usage", 2);
    expectError(await run("audit", "tail", "--code", "nope"), "usage", 2);
    expectError(await run("audit", "tail", "--action", "nope"), "usage", 2);
    expectError(await run("audit", "tail", "--after", "-1x"), "usage", 2);
  });

  test("an empty list names the registry on stderr, because that of another one is empty too", async () => {
    await world.createToken();
    const { on, options } = await reach();
    for (const [list, what] of [
      [["tasks", "list"], "task"],
      [["token", "list", "--user", "user-11"], "token"],
      [["audit", "tail", "--user", "user-11"], "event"],
    ] as const) {
      const { code, stdout, stderr } = await countersign(["authority", ...list, ...on], options);
      expect([code, stdout]).toEqual([0, ""]);
      expect(stderr).toContain(`${on[1]} has no such ${what}\n`);
    }
  });

  test("a revocation says what it stopped and keeps why, and refuses a name that is not known", async () => {
    const issue = () =>
      operate((registry) =>
        registry.issueIdentity({ accountId: "acct-1", userId: "user-1", ttlSeconds: 3_600 }),
      );
    await issue();
    await issue();
    await world.createToken();
    const { on, options } = await reach();
    const revoke = (user: string, ...more: string[]) => [
      ...["authority", "users", "revoke", "--account", "acct-1", "--user", user],
      ...more,
      ...on,
    ];
    const misspelt = await countersign(revoke("user-11"), options);
    expectError(misspelt, "invalid_request", 1);
    expect(misspelt.stdout).toBe("");
    expect(misspelt.stderr).toContain("knows no user user-11 in acct-1");
    expect(misspelt.stderr).toContain("known names next to it: user-1");
    expect(misspelt.stderr).toContain("--even-if-unknown");
    expectError(await countersign(revoke("user-1", "--reason", ""), options), "usage", 2);
    const why = "stolen laptop\u202e Bearer cs_human_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY";
    const text = await output(revoke("user-1", "--reason", why), options);
    expect(text).toMatch(/^stopped +2 agents, 0 tasks, 1 token$/m);
    expect(await json(revoke("user-1"), options)).toMatchObject({
      state: "revoked",
      stopped: { agents: 0, tasks: 0, tokens: 0 },
    });
    const barred = await json(revoke("user-11", "--even-if-unknown"), options);
    expect(barred).toMatchObject({ user_id: "user-11", state: "revoked" });
    const account = ["authority", "accounts", "revoke", "acct-11"];
    expectError(await countersign([...account, ...on], options), "invalid_request", 1);
    const all = ["authority", "audit", "tail", "--action", "user_revoked", "--json", ...on];
    const [event] = (await output(all, options)).split("\n");
    const { reason } = JSON.parse(event ?? "");
    expect(reason).toContain("stolen laptop\\u202e");
    expect(reason).not.toContain("QUJDREVG");
  });

  test("tokens are made, listed and revoked", async () => {
    await world.createToken();
    const { on, options } = await reach();
    const who = ["--account", "acct-9", "--user", "user-9", "--role", "read"];
    const { id, token } = await json(["authority", "token", "create", ...who, ...on], options);
    expect(token).toMatch(/^cs_read_/);
    const list = ["authority", "token", "list", "--account", "acct-9", "--role", "read", ...on];
    expect(await json(list, options)).toMatchObject([{ id, role: "read", state: "active" }]);
    await output(["authority", "token", "revoke", id, ...on], options);
    expect(await json(list, options)).toMatchObject([{ id, state: "revoked" }]);
  });

  test("the audit log is told from its end, from an event on, and as it grows", async () => {
    await operate(async (registry) => {
      for (let i = 0; i < 25; i += 1) await registry.revokeAccount(`acct-${i}`, BARRED);
    });
    const { on, options } = await reach();
    const tail = ["authority", "audit", "tail", ...on, "--json"];
    const lines = async (...args: string[]) =>
      (await output([...tail, "--action", "account_revoked", ...args], options))
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    expect((await lines()).map(({ account_id }) => account_id)).toEqual(
      Array.from({ length: 20 }, (_, index) => `acct-${index + 5}`),
    );
    const [first] = await lines("--limit", "25");
    expect(first).toMatchObject({
      action: "account_revoked",
      actor: "operator",
      account_id: "acct-0",
    });
    expect(await lines("--after", String(first.sequence))).toHaveLength(24);
    expect(await lines("--after", String(first.sequence), "--limit", "3")).toHaveLength(3);

    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const follow = ["--follow", "--action", "account_restored", "--limit", "1"];
      const following = await startCountersign(
        [...tail, ...follow, "--action", "account_revoked"],
        options,
      );
      onTestFinished(() => following[Symbol.asyncDispose]());
      await following.waitForLine(/"account_id":"/);
      await operate((registry) => registry.revokeAccount(`late-${signal}`, BARRED));
      await following.waitForLine(new RegExp(`"account_id":"late-${signal}"`));
      following.kill(signal);
      expect(await following.exited).toMatchObject({ code: 0, stderr: "" });
    }
  });
});

test("audit tail --follow warns that the authority is away, and prints the rest when it is back", async () => {
  const env = { ADMIN_TOKEN: await world.createToken("read") };
  const { admin, stop } = await serveAdmin();
  const on = ["--authority", admin, "--authority-token", "env:ADMIN_TOKEN"];
  const tail = ["authority", "audit", "tail", "--follow", "--json", ...on];
  const following = await startCountersign(tail, { home: world.home, env });
  onTestFinished(() => following[Symbol.asyncDispose]());
  await following.waitForLine(/"access_token_created"/);
  await stop();
  await expect.poll(() => following.stderr).toContain("(unreachable); going on when it answers");
  await operate((registry) => registry.revokeAccount("acct-later", BARRED));
  await serveAdmin(new URL(admin).host);
  await following.waitForLine(/"account_id":"acct-later"/);
  following.kill("SIGINT");
  const { code, stdout, stderr } = await following.exited;
  expect([code, stderr.match(/^warning: /gm)?.length]).toEqual([0, 1]);
  expect(stdout.trimEnd().split("\n")).toHaveLength(2);
});

test("lists go on beyond one answer, and stop at the limit", async () => {
  await operate(async (registry) => {
    await Promise.all(
      Array.from({ length: 1_010 }, (_, index) => registry.revokeAccount(`acct-${index}`, BARRED)),
    );
  });
  const list = ["authority", "accounts", "list", ...world.onDatabase];
  const all = await json(list, world);
  expect(new Set(all.map(({ account_id }: { account_id: string }) => account_id)).size).toBe(1_010);
  expect(await json([...list, "--limit", "1005"], world)).toHaveLength(1_005);
});

test("a task is narrowed by agent and state, revoked and restored", async () => {
  const { url } = await world.serve();
  await world.logIn(url);
  const options = { home: world.home, env: { ...FEATURE_ON } };
  for (const thread of ["one", "two"])
    await output(["task", "ensure", "--thread", thread], options);
  const list = ["authority", "tasks", "list", ...world.onDatabase];
  const [task, other] = await json(list, world);
  const on = world.onDatabase;
  await output(["authority", "tasks", "revoke", task.task_id, ...on], world);
  const revoked = await json(
    [...list, "--agent", task.agent_runtime_id, "--state", "revoked"],
    world,
  );
  expect(revoked).toMatchObject([{ task_id: task.task_id }]);
  expect(await json([...list, "--state", "active"], world)).toMatchObject([
    { task_id: other.task_id },
  ]);
  expect(await json(["authority", "tasks", "restore", task.task_id, ...on], world)).toMatchObject({
    state: "active",
  });
});
