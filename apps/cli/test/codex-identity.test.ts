import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import type { TemporaryDirectory, TestAuthority } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { createCodexAuth } from "../src/codex/codex-home.js";
import {
  contentOf,
  countersign,
  expectError,
  json,
  output,
  storeIdentity,
  storeLogin,
} from "./command-line.js";
import { writeFakeCodex } from "./fake-codex.js";
import { freshWorld } from "./fresh-home.js";

const KEY = AgentKey.generate();

let folder: TemporaryDirectory;
let home: string;
let codexHome: string;
let authority: TestAuthority;
let options: { home: string; env: Record<string, string> };

beforeEach(async () => {
  ({ folder, home, authority, options } = await freshWorld());
  await useCodex("0.122.0");
  codexHome = join(folder.path, "codex");
  await mkdir(codexHome, { mode: 0o700 });
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
});

/** The Codex that is in `PATH`. */
async function useCodex(version: string): Promise<void> {
  const { PATH } = await writeFakeCodex(folder.path, version);
  options = { ...options, env: { ...options.env, PATH } };
}

const agentOf = (accountId: string, more: object = {}) => ({
  workspace_id: accountId,
  chatgpt_user_id: "user-1",
  agent_runtime_id: "agent_codex",
  agent_private_key: KEY.exportPkcs8(),
  registered_at: "2026-03-23T12:00:00Z",
  ...more,
});
// Generation C.
const MANAGED = {
  agent_runtime_id: "agent_later",
  agent_private_key: KEY.exportPkcs8(),
  account_id: "acct-2",
  chatgpt_user_id: "user-1",
  task_id: "task_1",
};

/** Writes `auth.json` with an odd member, so that one sees whether it stays; gives its text. */
async function writeAuth(agentIdentity?: unknown, members: object = {}): Promise<string> {
  const human = { accountId: "acct-1", userId: "user-1", accessToken: "t0ken", now: 0 };
  const auth = { ...JSON.parse(createCodexAuth(human)), ...members, odd: [1.0, { a: null }] };
  const identity = agentIdentity === undefined ? {} : { agent_identity: agentIdentity };
  const text = `${JSON.stringify({ ...auth, ...identity }, undefined, 2)}\n`;
  await writeFile(join(codexHome, "auth.json"), text, { mode: 0o600 });
  return text;
}
const readAuth = async () => JSON.parse(await readFile(join(codexHome, "auth.json"), "utf8"));

const importArgs = () => [
  ...["identity", "import", "--codex-home", codexHome],
  ...["--authority", authority.url],
];
const exportArgs = (...more: string[]) => [
  "identity",
  "export",
  "--codex-home",
  codexHome,
  ...more,
];

describe("identity import", () => {
  test("must be told the authority", async () => {
    await writeAuth(agentOf("acct-1"));
    const env = { COUNTERSIGN_AUTHORITY: authority.url };
    const result = await countersign(importArgs().slice(0, 4), { home, env });
    expectError(result, "usage", 2);
  });

  test.each([
    { what: "no auth.json", auth: undefined, code: "no_identity", exitCode: 3 },
    { what: "no agent", auth: "{}", code: "no_identity", exitCode: 3 },
    { what: "no JSON", auth: '{"agent_identity": {"agent_pri', code: "store_corrupt", exitCode: 1 },
    {
      what: "an agent without a user",
      auth: JSON.stringify({ agent_identity: { ...agentOf("acct-1"), chatgpt_user_id: null } }),
      code: "store_corrupt",
      exitCode: 1,
    },
    {
      what: "an agent with a broken key",
      auth: JSON.stringify({ agent_identity: agentOf("acct-1", { agent_private_key: "br0ken" }) }),
      code: "store_corrupt",
      exitCode: 1,
    },
    {
      what: "an agent whose id would reach another path",
      auth: JSON.stringify({ agent_identity: agentOf("acct-1", { agent_runtime_id: "../x" }) }),
      code: "store_corrupt",
      exitCode: 1,
    },
  ])("of a folder with $what is $code, and changes nothing", async ({ auth, code, exitCode }) => {
    if (auth !== undefined) await writeFile(join(codexHome, "auth.json"), auth, { mode: 0o600 });
    const before = contentOf(folder.path);
    const result = await countersign(importArgs(), options);
    expectError(result, code, exitCode);
    expect(result.stderr).not.toMatch(/br0ken|agent_pri/);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("keeps Codex's agent for its user with that authority, and sends no request", async () => {
    const text = await writeAuth(agentOf("acct-1"));
    const who = { authority: authority.url, account_id: "acct-1", user_id: "user-1" };
    const agent = { ...who, agent_runtime_id: "agent_codex" };
    expect(await json(importArgs(), options)).toEqual({ ...agent, imported: true });
    expect(await json(importArgs(), options)).toEqual({ ...agent, imported: false });
    await storeLogin(home, { authority: authority.url });
    const shown = await json(["identity", "ensure"], options);
    expect(shown).toMatchObject({ ...agent, agent_public_key: KEY.publicKey.line });
    expect(authority.requests).toEqual([]);
    expect(await readFile(join(codexHome, "auth.json"), "utf8")).toBe(text);
    // Of the authority that was told, and no other's.
    const env = { ...options.env, COUNTERSIGN_AUTHORITY: "https://other.example" };
    expectError(await countersign(["identity", "show"], { home, env }), "not_logged_in", 3);
  });

  test("takes an agent of a later Codex too", async () => {
    await writeAuth(MANAGED);
    expect(await json(importArgs(), options)).toMatchObject({
      account_id: "acct-2",
      agent_runtime_id: "agent_later",
    });
  });

  test("never replaces another key of the same user", async () => {
    await storeIdentity(home, { authority: authority.url });
    await writeAuth(agentOf("acct-1"));
    const before = contentOf(folder.path);
    const result = await countersign(importArgs(), options);
    expectError(result, "invalid_request", 1);
    expect(result.stderr).not.toContain("forget");
    expect(contentOf(folder.path)).toEqual(before);
  });
});

describe("identity export", () => {
  async function ensureAgent() {
    await storeLogin(home, { authority: authority.url });
    return await storeIdentity(home, { authority: authority.url });
  }

  test.each([
    { what: "where Codex has no login", code: "not_logged_in", exitCode: 3 },
    {
      what: "beside an API key",
      auth: { OPENAI_API_KEY: "k", tokens: null },
      code: "not_logged_in",
      exitCode: 3,
    },
    {
      what: "beside a login that names no user",
      auth: { tokens: { id_token: "", access_token: "x", account_id: "acct-1" } },
      code: "store_corrupt",
      exitCode: 1,
    },
  ])("$what is $code, and changes nothing", async ({ auth, code, exitCode }) => {
    await ensureAgent();
    if (auth !== undefined) await writeAuth(undefined, { auth_mode: null, ...auth });
    const before = contentOf(folder.path);
    expectError(await countersign(exportArgs(), options), code, exitCode);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("without an agent here is no_identity, exit 3, and changes nothing", async () => {
    await storeLogin(home, { authority: authority.url });
    await writeAuth();
    const before = contentOf(folder.path);
    expectError(await countersign(exportArgs(), options), "no_identity", 3);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("puts the agent of Codex's user into auth.json and keeps every other member", async () => {
    const { agent_runtime_id } = await ensureAgent();
    const text = await writeAuth();
    const result = await countersign(exportArgs("--json"), options);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toEqual({
      codex_home: codexHome,
      authority: authority.url,
      account_id: "acct-1",
      user_id: "user-1",
      agent_runtime_id,
      generation: "A",
    });
    expect(result.stderr).toBe("");
    const { agent_identity, ...rest } = await readAuth();
    expect(rest).toEqual(JSON.parse(text));
    expect(Object.keys(rest)).toEqual(Object.keys(JSON.parse(text)));
    const { identities } = JSON.parse(await readFile(join(home, "credentials.json"), "utf8"));
    expect(agent_identity).toEqual({
      workspace_id: "acct-1",
      chatgpt_user_id: "user-1",
      agent_runtime_id,
      agent_private_key: identities[0].private_key,
      registered_at: identities[0].registered_at,
    });
    expect(result.stdout + result.stderr).not.toContain(identities[0].private_key);
    expect((await stat(join(codexHome, "auth.json"))).mode & 0o777).toBe(0o600);
    const once = contentOf(codexHome);
    await output(exportArgs(), options);
    expect(contentOf(codexHome)).toEqual(once);
    expect(authority.requests).toEqual([]);
  });

  test("never replaces another agent of the same user", async () => {
    await ensureAgent();
    await writeAuth(agentOf("acct-1"));
    const before = contentOf(folder.path);
    const result = await countersign(exportArgs("--authority", authority.url), options);
    expectError(result, "invalid_request", 1);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("asks whose the agent of another account is, before it makes room, and keeps it here", async () => {
    const { agent_runtime_id } = await ensureAgent();
    await writeAuth(agentOf("acct-2"));
    const before = contentOf(folder.path);
    expectError(await countersign(exportArgs(), options), "usage", 2);
    expect(contentOf(folder.path)).toEqual(before);
    await output(exportArgs("--authority", authority.url), options);
    expect((await readAuth()).agent_identity).toMatchObject({ agent_runtime_id });
    expect(await json(["identity", "list"], options)).toMatchObject([
      { account_id: "acct-1", current: true },
      { account_id: "acct-2", agent_runtime_id: "agent_codex", authority: authority.url },
    ]);
  });

  test.each([
    { what: "the agent of a later Codex", identity: MANAGED, code: "store_denied" },
    { what: "what cannot be read", identity: { agent_runtime_id: 7 }, code: "store_corrupt" },
    { what: "an identity JWT", identity: "e30.e30.c2ln", code: "store_denied" },
  ])("leaves $what in its place, and says so", async ({ identity, code }) => {
    await ensureAgent();
    const text = await writeAuth(identity);
    const result = await countersign(exportArgs("--authority", authority.url), options);
    expectError(result, code, 1);
    expect(await readFile(join(codexHome, "auth.json"), "utf8")).toBe(text);
  });

  describe("writes the form that this Codex reads", () => {
    const authJson = () => join(codexHome, "auth.json");
    const storedKey = async () => {
      const { identities } = JSON.parse(await readFile(join(home, "credentials.json"), "utf8"));
      return identities[0].private_key;
    };
    const formC = async () => ({
      agent_runtime_id: "agent_of_acct-1",
      agent_private_key: await storedKey(),
      account_id: "acct-1",
      chatgpt_user_id: "user-1",
      email: "",
      plan_type: "unknown",
      chatgpt_account_is_fedramp: false,
    });
    const formA = async () => ({
      workspace_id: "acct-1",
      chatgpt_user_id: "user-1",
      agent_runtime_id: "agent_of_acct-1",
      agent_private_key: await storedKey(),
      registered_at: "2026-03-23T12:00:00Z",
    });

    test("and without a Codex or --generation says what to give", async () => {
      await ensureAgent();
      await writeAuth();
      options = { ...options, env: { ...options.env, PATH: join(folder.path, "none") } };
      const before = contentOf(folder.path);
      const result = await countersign(exportArgs(), options);
      expectError(result, "config_invalid", 2);
      expect(result.stderr).toContain("--codex PATH");
      expect(result.stderr).toContain("--generation A (0.122, 0.123) or --generation C");
      expectError(await countersign(exportArgs("--generation", "B"), options), "usage", 2);
      expect(contentOf(folder.path)).toEqual(before);
      await output(exportArgs("--generation", "A"), options);
      expect((await readAuth()).agent_identity).toEqual(await formA());
      // What it reads is known from the agent that is there.
      await output(exportArgs(), options);
    });

    test("and none for a Codex that reads identity JWTs alone", async () => {
      await ensureAgent();
      const text = await writeAuth();
      await useCodex("0.132.0");
      expectError(await countersign(exportArgs(), options), "config_invalid", 2);
      expect(await readFile(authJson(), "utf8")).toBe(text);
    });

    test("for 0.150 and newer beside the human's login, which stays as it is written", async () => {
      await ensureAgent();
      const before = JSON.parse(await writeAuth());
      await useCodex("0.171.0");
      expect(await json(exportArgs(), options)).toMatchObject({ generation: "C" });
      const { agent_identity, ...rest } = await readAuth();
      expect(JSON.stringify(rest)).toBe(JSON.stringify(before));
      expect(agent_identity).toEqual(await formC());
      expect(authority.requests).toEqual([]);
    });

    test("keeping the task of the same agent, and what else its Codex wrote", async () => {
      await ensureAgent();
      const written = { ...(await formC()), email: "a@example.com", task_id: "task_1", n: 1.5 };
      await writeAuth(written);
      await useCodex("0.150.0");
      const before = await readAuth();
      await output(exportArgs(), options);
      expect(await readAuth()).toEqual(before);
    });

    test.each([
      { version: "0.171.0", from: formA, to: formC },
      { version: "0.123.0", from: formC, to: formA },
    ])("in place of the same agent in the other form ($version)", async ({ version, from, to }) => {
      await ensureAgent();
      await writeAuth(await from());
      await useCodex(version);
      await output(exportArgs(), options);
      expect((await readAuth()).agent_identity).toEqual(await to());
    });

    test("never in place of another agent in the other form", async () => {
      await ensureAgent();
      const text = await writeAuth(agentOf("acct-2"));
      await useCodex("0.171.0");
      const result = await countersign(exportArgs("--authority", authority.url), options);
      expectError(result, "store_denied", 1);
      expect(await readFile(authJson(), "utf8")).toBe(text);
    });

    test("for 0.150 and newer without any human's token, in a folder that is made", async () => {
      await ensureAgent();
      await useCodex("0.171.0");
      codexHome = join(folder.path, "alone");
      await output(exportArgs(), options);
      const alone = {
        auth_mode: "agentIdentity",
        OPENAI_API_KEY: null,
        agent_identity: await formC(),
      };
      expect(await readFile(authJson(), "utf8")).toBe(JSON.stringify(alone, undefined, 2));
      expect((await stat(authJson())).mode & 0o777).toBe(0o600);
      expect((await stat(codexHome)).mode & 0o777).toBe(0o700);
      const withTask = { ...alone.agent_identity, task_id: "task_1" };
      await writeFile(authJson(), JSON.stringify({ ...alone, agent_identity: withTask }));
      await output(exportArgs(), options);
      expect((await readAuth()).agent_identity).toEqual(withTask);
    });

    test("and 0.122 takes no agent without a human's login", async () => {
      await ensureAgent();
      await rm(authJson(), { force: true });
      expectError(await countersign(exportArgs(), options), "not_logged_in", 3);
      await expect(stat(authJson())).rejects.toThrow("ENOENT");
    });

    test.each([
      { what: "an API key", auth: { OPENAI_API_KEY: "k" } },
      { what: "a login of another kind", auth: { OPENAI_API_KEY: null, later: { a: 1 } } },
      { what: "another agent", auth: { auth_mode: "agentIdentity", agent_identity: MANAGED } },
    ])("never in place of $what", async ({ auth }) => {
      await ensureAgent();
      const text = JSON.stringify(auth);
      await writeFile(authJson(), text, { mode: 0o600 });
      await useCodex("0.171.0");
      const result = await countersign(exportArgs("--authority", authority.url), options);
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/\((?:not_logged_in|no_identity)\)$/m);
      expect(await readFile(authJson(), "utf8")).toBe(text);
    });
  });
});
