import { hostname, userInfo } from "node:os";
import { createRegistry, openStore, type Registry } from "@countersign/agent-authority";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { countersign, expectError, json, output, startCountersign } from "./command-line.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const WHOSE = ["--account", "operations", "--user", "operator-1"];

let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
});

async function operate<T>(work: (registry: Registry) => Promise<T>): Promise<T> {
  await using store = await openStore(world.onDatabase[1] ?? "");
  return await work(createRegistry(store));
}

/** Serves with an admin listener, and gives the switches and options that reach it with a token. */
async function reachAdmin(token: string) {
  const args = ["authority", "serve", "--json", "--listen", "127.0.0.1:0"];
  const server = await startCountersign(
    [...args, "--admin-listen", "127.0.0.1:0", ...world.onDatabase],
    { home: world.home },
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const [line] = await server.waitForLine(/^\{"listening":.*\}$/);
  const on = ["--authority", JSON.parse(line).admin, "--authority-token", "env:ADMIN_TOKEN"];
  return { on, options: { home: world.home, env: { ADMIN_TOKEN: token } } };
}

const create = (...args: string[]) => ["authority", "token", "create", ...WHOSE, ...args];

test("token create refuses a name that cannot be kept, and rights that its role cannot have", async () => {
  const { home, onDatabase } = world;
  const refused = await countersign(create("--with-tokens", ...onDatabase), { home });
  expectError(refused, "usage", 2);
  const accounts = await countersign(create("--role", "stop", "--accounts", "a,", ...onDatabase), {
    home,
  });
  expectError(accounts, "usage", 2);
  expect(accounts.stderr).toContain("--accounts");
  const named = await countersign(create("--name", " x", ...onDatabase), { home });
  expect(named).toMatchObject({ code: 4, stdout: "" });
  expect(named.stderr).toContain("the name of a token");
});

test("a command on the database may make any token, and is logged with its user and machine", async () => {
  const options = { home: world.home };
  const role = ["--role", "operate", "--name", "Ada's laptop"];
  const made = await json([...create(...role, "--with-tokens"), ...world.onDatabase], options);
  expect(made).toMatchObject({ role: "operate", scopes: ["tokens"], name: "Ada's laptop" });
  const list = await output(["authority", "token", "list", ...world.onDatabase], options);
  expect(list).toMatch(/NAME .*SCOPES/);
  expect(list).toMatch(/Ada's laptop +operate +tokens/);
  const [event] = await operate((registry) => registry.listAuditEvents());
  expect(event?.actor).toBe(`operator:${userInfo().username}@${hostname()}`);
});

test("token rotate prints a token like the former one, which is taken during the overlap", async () => {
  const options = { home: world.home };
  const role = ["--role", "stop", "--name", "on call", ...world.onDatabase];
  const former = await json(create(...role), options);
  const rotate = (id: string, ...args: string[]) =>
    countersign(["authority", "token", "rotate", id, ...world.onDatabase, ...args], options);
  expectError(await rotate(former.id, "--overlap", "31d"), "usage", 2);
  expectError(await rotate("token_x"), "invalid_request", 1);
  const rotated = await rotate(former.id, "--overlap", "2h");
  expect(rotated.stdout).toMatch(/^cs_stop_\S+\n$/);
  expect(rotated.stderr).toMatch(
    new RegExp(`the former token ${former.id} is taken until \\d{4}-`),
  );
  const tokens = await operate((registry) => registry.listAccessTokens());
  expect(tokens).toMatchObject([
    { id: former.id, name: "on call", state: "active" },
    { name: "on call", role: "stop", state: "active" },
  ]);
  const [first] = tokens;
  expect(Date.parse(first?.expiresAt ?? "")).toBeLessThanOrEqual(Date.now() + 2 * 3_600_000);
});

test("a token for some accounts stops nothing of others", async () => {
  const role = ["--role", "stop", "--accounts", "acct-1,acct-2", ...world.onDatabase];
  const made = await json(create(...role), { home: world.home });
  expect(made).toMatchObject({ accounts: ["acct-1", "acct-2"] });
  await operate((registry) => registry.revokeAccount("acct-3", { evenIfUnknown: true }));
  const { on, options } = await reachAdmin(made.token);
  const restore = (account: string) =>
    countersign(["authority", "accounts", "restore", account, ...on], options);
  const refused = await restore("acct-3");
  expectError(refused, "invalid_request", 1);
  expect(refused.stderr).toContain("no such account");
  await operate((registry) => registry.revokeAccount("acct-2", { evenIfUnknown: true }));
  expect((await restore("acct-2")).code).toBe(0);
});

test("a token makes tokens only if it was made for that, and is logged with its name", async () => {
  const options = { home: world.home };
  const role = ["--role", "operate", "--name", "Ada's laptop", ...world.onDatabase];
  const without = (await output(create(...role), options)).trim();
  const having = (await output(create(...role, "--with-tokens"), options)).trim();
  const admin = await reachAdmin(without);
  const refused = await countersign(create(...admin.on), admin.options);
  expect(refused.stderr).toContain("this token makes no tokens");
  expectError(refused, "forbidden", 4);
  const made = await output(create(...admin.on), {
    home: world.home,
    env: { ADMIN_TOKEN: having },
  });
  expect(made).toMatch(/^cs_human_/);
  const tail = await output(["authority", "audit", "tail", ...world.onDatabase], options);
  expect(tail).toMatch(/access_token_created actor=admin:token_\S+ actor_name="?Ada's laptop/);
});
