import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import type { TemporaryDirectory, TestAuthority } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { createCodexAuth } from "../src/codex-home.js";
import {
  contentOf,
  countersign,
  expectError,
  json,
  output,
  storeIdentity,
  storeLogin,
} from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

const KEY = AgentKey.generate();

let folder: TemporaryDirectory;
let home: string;
let codexHome: string;
let authority: TestAuthority;
let options: { home: string; env: Record<string, string> };

beforeEach(async () => {
  ({ folder, home, authority, options } = await freshWorld());
  codexHome = join(folder.path, "codex");
  await mkdir(codexHome, { mode: 0o700 });
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
});

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

  test("keeps Codex's agent for its user with that authority, and asks nobody", async () => {
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
    { what: "where nobody is logged in to Codex", code: "not_logged_in", exitCode: 3 },
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
    });
    expect(result.stderr).toContain("Codex 0.122");
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
    { what: "an identity token", identity: "e30.e30.c2ln", code: "store_denied" },
  ])("leaves $what in its place, and says so", async ({ identity, code }) => {
    await ensureAgent();
    const text = await writeAuth(identity);
    const result = await countersign(exportArgs("--authority", authority.url), options);
    expectError(result, code, 1);
    expect(await readFile(join(codexHome, "auth.json"), "utf8")).toBe(text);
  });
});
