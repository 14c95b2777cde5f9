import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type AuditEvent,
  createRegistry,
  openStore,
  type Registry,
} from "@countersign/agent-authority";
import { AgentKey } from "@countersign/agent-key";
import { FakeClock, startTestAuthority, type TestAuthority } from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { contentOf, countersign, json, output, storeLogin } from "./command-line.js";
import { type FreshWorld, freshWorld } from "./fresh-home.js";
import { serverWorld } from "./servers.js";

interface Finding {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly message: string;
  readonly remedy?: string;
}

let world: FreshWorld;

beforeEach(async () => {
  world = await freshWorld();
  world.authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
});

const logIn = (accessToken?: string, authority: TestAuthority = world.authority) =>
  storeLogin(world.home, { authority: authority.url, accessToken });

async function diagnose(env: Record<string, string> = world.options.env) {
  const result = await countersign(["doctor", "--json"], { home: world.home, env });
  const { ok, checks }: { ok: boolean; checks: readonly Finding[] } = JSON.parse(result.stdout);
  expect(result.code).toBe(ok ? 0 : 1);
  // What is not ok says what to do.
  for (const { state, remedy } of checks) expect(remedy !== undefined).toBe(state !== "ok");
  return { ok, checks, states: Object.fromEntries(checks.map(({ name, state }) => [name, state])) };
}

const found = (checks: readonly Finding[], name: string): Finding =>
  checks.find((finding) => finding.name === name) ?? expect.unreachable(`no check ${name}`);

describe("doctor fails, exit 1, with what to do", () => {
  test("where no login is stored, and makes no home", async () => {
    const { checks, states } = await diagnose();
    expect(states).toMatchObject({ home: "warn", login: "fail" });
    expect(found(checks, "login").message).toContain("(not_logged_in)");
    expect(Object.keys(contentOf(world.folder.path))).toEqual([]);
  });

  test("for a configuration that cannot be read", async () => {
    await logIn();
    await writeFile(join(world.home, "config.toml"), "authority = ");
    expect((await diagnose()).states).toMatchObject({ home: "ok", configuration: "fail" });
  });

  test("for a home that is no folder", async () => {
    await writeFile(world.home, "");
    expect((await diagnose()).states).toEqual({ home: "fail" });
  });

  test("for a login that cannot be read", async () => {
    await mkdir(world.home, { mode: 0o700 });
    const text = JSON.stringify({ version: 1, login: { kind: "odd" }, identities: [] });
    await writeFile(join(world.home, "credentials.json"), text, { mode: 0o600 });
    expect((await diagnose()).states).toMatchObject({ store: "fail" });
  });

  test("for an authority that cannot be reached", async () => {
    await logIn();
    await world.authority.close();
    const { checks, states } = await diagnose();
    expect(states).toMatchObject({ login: "ok", authority: "fail" });
    expect(states).not.toHaveProperty("clock");
    expect(found(checks, "authority").message).toContain("(unreachable)");
  });

  test("for a token that the authority does not accept", async () => {
    await logIn("other-t0ken");
    const { checks, states } = await diagnose();
    expect(states).toMatchObject({ login: "ok", token: "fail" });
    expect(JSON.stringify(checks)).not.toContain("t0ken");
  });

  test("for the token of another user", async () => {
    world.authority.addHuman({ accountId: "acct-1", userId: "user-2", accessToken: "second" });
    await logIn("second");
    expect(found((await diagnose()).checks, "token")).toMatchObject({ state: "fail" });
  });

  test("for a clock that is more than a day off", async () => {
    const clock = new FakeClock(Date.now() + 2 * 86_400_000);
    const authority = await startTestAuthority({ now: clock.now });
    onTestFinished(() => authority.close());
    authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
    await logIn("t0ken", authority);
    expect(found((await diagnose()).checks, "clock")).toMatchObject({
      state: "fail",
      message: expect.stringContaining("behind the authority's"),
    });
  });

  test("for a task that was revoked", async () => {
    await logIn();
    const task = await json(["task", "ensure"], world.options);
    world.authority.revokeTask(task.task_id);
    expect(found((await diagnose()).checks, "echo")).toMatchObject({
      state: "fail",
      message: expect.stringContaining("(task_revoked)"),
      remedy: expect.stringContaining("countersign task forget, then countersign task ensure"),
    });
    await output(["task", "forget"], world.options);
    await output(["task", "ensure"], world.options);
    expect((await diagnose()).states).toMatchObject({ task: "ok", echo: "ok" });
  });

  test("for a thread that cannot be read, and reports all other checks", async () => {
    await logIn();
    await output(["task", "ensure"], world.options);
    const threads = join(world.home, "threads");
    for (const name of await readdir(threads)) {
      if (name.endsWith(".json")) await writeFile(join(threads, name), "{");
    }
    const { checks, states } = await diagnose();
    expect(found(checks, "task").message).toContain("(store_corrupt)");
    expect(states).toMatchObject({ identity: "ok", task: "fail" });
    expect(states).not.toHaveProperty("echo");
  });
});

describe("doctor compares the agent's key with those that the authority names", () => {
  const editEntry = async (change: (entry: Record<string, string>) => object) => {
    const file = join(world.home, "credentials.json");
    const content = JSON.parse(await readFile(file, "utf8"));
    const identities = content.identities.map(change);
    await writeFile(file, JSON.stringify({ ...content, identities }), { mode: 0o600 });
  };
  const otherKey = () => AgentKey.generate().exportPkcs8();
  const ensure = async () => {
    await logIn();
    return await json(["identity", "ensure"], world.options);
  };
  const closeDirectory = () =>
    world.authority.fault("directory", { kind: "status", status: 401, body: "" }, 9);

  test("and fails for one that is not among them; the remedy names nothing that removes it", async () => {
    await ensure();
    await editEntry((entry) => ({ ...entry, private_key: otherKey() }));
    const { remedy, ...check } = found((await diagnose()).checks, "key");
    expect(check).toMatchObject({ state: "fail" });
    expect(remedy).toContain("countersign identity import");
    expect(remedy).not.toContain("forget");
  });

  test("and fails where a rotation that is not finished has ended it; the remedy finishes that", async () => {
    await ensure();
    await output(["identity", "rotate"], world.options);
    const line = world.authority.agents[0]?.publicKey;
    await editEntry(({ private_key = "", ...entry }) => ({
      ...entry,
      private_key: otherKey(),
      next_private_key: private_key,
    }));
    expect(found((await diagnose()).checks, "key")).toMatchObject({
      state: "fail",
      remedy: "countersign identity rotate",
    });
    expect(world.authority.agents).toMatchObject([{ publicKey: line }]);
  });

  test("and warns of a rotation that is not finished, also where the directory takes a token", async () => {
    await ensure();
    await editEntry((entry) => ({ ...entry, next_private_key: otherKey() }));
    const unfinished = { state: "warn", remedy: "countersign identity rotate" };
    expect(found((await diagnose()).checks, "key")).toMatchObject(unfinished);
    closeDirectory();
    expect(found((await diagnose()).checks, "key")).toMatchObject(unfinished);
    await output(["identity", "rotate"], world.options);
    expect(found((await diagnose()).checks, "key")).toMatchObject({
      state: "ok",
      message: expect.stringContaining("not compared"),
    });
  });

  test("and fails for an agent that has ended or is not known; the remedy registers a new one", async () => {
    const { agent_runtime_id } = await ensure();
    world.authority.revokeAgent(agent_runtime_id);
    expect(found((await diagnose()).checks, "key")).toMatchObject({
      state: "fail",
      remedy: expect.stringContaining("identity forget, then countersign identity ensure"),
    });
    await output(["identity", "forget"], world.options);
    const next = await json(["identity", "ensure"], world.options);
    expect(found((await diagnose()).checks, "key")).toMatchObject({ state: "ok" });
    world.authority.forgetAgent(next.agent_runtime_id);
    expect(found((await diagnose()).checks, "key")).toMatchObject({ state: "fail" });
  });
});

describe("doctor warns, exit 0", () => {
  test("of files that others may read, and leaves them as they are", async () => {
    await logIn();
    const file = join(world.home, "credentials.json");
    await chmod(file, 0o640);
    const { ok, checks } = await diagnose();
    expect(ok).toBe(true);
    expect(found(checks, "permissions")).toMatchObject({
      state: "warn",
      message: expect.stringContaining(file),
    });
  });

  test("of a clock that is minutes off", async () => {
    const clock = new FakeClock(Date.now() - 600_000);
    const authority = await startTestAuthority({ now: clock.now });
    onTestFinished(() => authority.close());
    authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
    await logIn("t0ken", authority);
    const { ok, checks } = await diagnose();
    expect(ok).toBe(true);
    expect(found(checks, "clock").message).toContain("ahead of the authority's");
  });

  test("of a feature that is off, and of what is not registered yet; registers nothing", async () => {
    await logIn();
    const { ok, states } = await diagnose({});
    expect([ok, states.feature]).toEqual([true, "warn"]);
    for (const unused of ["identity", "task"]) expect(states).not.toHaveProperty(unused);
    expect((await diagnose()).states).toMatchObject({
      feature: "ok",
      identity: "warn",
      task: "warn",
    });
    expect(world.authority.counts).toMatchObject({ registerAgent: 0, registerTask: 0 });
  });

  test("of a server that answers as no authority does", async () => {
    await logIn();
    await writeFile(join(world.home, "config.toml"), "");
    for (const step of ["whoami", "key_set"] as const) {
      world.authority.fault(step, { kind: "status", status: 404, body: "" }, 9);
    }
    const { states } = await diagnose();
    expect(states).toMatchObject({ authority: "warn", token: "warn" });
    expect(states).not.toHaveProperty("clock");
  });

  test("of a server that answers everything with a document of its own", async () => {
    await logIn();
    world.authority.fault("key_set", { kind: "answer", body: { status: "ok" } });
    expect((await diagnose()).states).toMatchObject({ authority: "warn", token: "ok" });
  });
});

test("doctor finds all well where a thread has its task, and changes nothing", async () => {
  await logIn();
  await output(["task", "ensure"], world.options);
  const before = contentOf(world.folder.path);
  const { ok, checks, states } = await diagnose();
  expect(ok).toBe(true);
  expect(new Set(Object.values(states))).toEqual(new Set(["ok"]));
  expect(Object.keys(states)).toEqual([
    ...["home", "permissions", "configuration", "store", "login", "authority", "clock"],
    ...["feature", "token", "identity", "key", "task", "echo"],
  ]);
  expect(JSON.stringify(checks)).not.toContain("t0ken");
  expect(contentOf(world.folder.path)).toEqual(before);
  expect(await readFile(join(world.home, "credentials.json"), "utf8")).toContain("t0ken");
});

test("doctor finds all well at an authority without identity JWTs, which has no key set, and reads its clock", async () => {
  const servers = await serverWorld();
  const { url } = await servers.serve();
  await servers.logIn(url);
  const { stdout } = await countersign(["doctor", "--json"], servers.options);
  const { checks } = JSON.parse(stdout);
  expect(found(checks, "authority")).toMatchObject({ state: "ok" });
  expect(found(checks, "clock")).toMatchObject({ state: "ok" });
});

describe("in the authority's audit log", () => {
  /** What `doctor` adds to it, of an agent that has a task. */
  async function added(
    authorityOf: (url: string) => string,
    restart?: (port: string) => readonly string[],
    change: (registry: Registry) => Promise<unknown> = async () => undefined,
  ): Promise<{ ok: unknown; events: readonly AuditEvent[] }> {
    const servers = await serverWorld();
    const { url, process } = await servers.serve();
    const { options, onDatabase } = servers;
    await servers.logIn(authorityOf(url));
    await output(["task", "ensure", "--insecure-http"], options);
    if (restart !== undefined) {
      await process[Symbol.asyncDispose]();
      await servers.serve(restart(new URL(url).port));
    }
    const store = await openStore(onDatabase[1] ?? "");
    onTestFinished(() => store.close());
    const registry = createRegistry(store);
    await change(registry);
    const before = await registry.listAuditEvents({ limit: 100 });
    expect(before.length).toBeGreaterThan(0);
    const { stdout } = await countersign(["doctor", "--insecure-http", "--json"], options);
    const after = await registry.listAuditEvents({ limit: 100 });
    return { ok: JSON.parse(stdout).ok, events: after.slice(before.length) };
  }

  test.each([
    ["on this machine", (url: string) => url, undefined],
    // This machine under an address that is not counted as loopback: its directory takes a token.
    ["elsewhere", (url: string) => url.replace("127.0.0.1", "0.0.0.0"), undefined],
    [
      "on this machine that got another URL for its clients",
      (url: string) => url,
      (port: string) => [`--listen=127.0.0.1:${port}`, "--public-url=https://authority.example"],
    ],
    [
      "on this machine that others reach as well",
      (url: string) => url,
      (port: string) => [`--listen=0.0.0.0:${port}`],
    ],
  ] as const)("doctor leaves nothing, of an authority %s", async (_, authorityOf, restart) => {
    expect(await added(authorityOf, restart)).toEqual({ ok: true, events: [] });
  });

  test("doctor leaves only the refusal of a refused token, as any other caller with it would", async () => {
    const { ok, events } = await added(
      (url) => url,
      undefined,
      async (registry) => {
        for (const { id } of await registry.listAccessTokens()) {
          await registry.revokeAccessToken(id);
        }
      },
    );
    expect(ok).toBe(false);
    expect(events).toMatchObject([{ action: "whoami", code: "unauthenticated" }]);
  });
});

test("doctor asks no directory that takes a token, and checks with the agent's own key", async () => {
  await logIn();
  await output(["task", "ensure"], world.options);
  world.authority.fault("directory", { kind: "status", status: 401, body: "" }, 9);
  expect(found((await diagnose()).checks, "echo")).toMatchObject({
    state: "ok",
    message: expect.stringContaining("own key"),
  });
});
