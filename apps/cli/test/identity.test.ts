import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import type { TemporaryDirectory, TestAuthority } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
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

let folder: TemporaryDirectory;
let home: string;
let authority: TestAuthority;
let options: { home: string; env: Record<string, string> };

beforeEach(async () => {
  ({ folder, home, authority, options } = await freshWorld());
});

async function logIn(accountId: string): Promise<void> {
  const accessToken = authority.addHuman({ accountId, userId: "user-1" });
  await storeLogin(home, { authority: authority.url, accountId, accessToken });
}

const addAgent = (accountId: string) =>
  storeIdentity(home, { authority: authority.url, accountId });

type Entry = Readonly<Record<string, unknown>>;

async function editIdentities(edit: (entries: readonly Entry[]) => readonly Entry[]) {
  const file = join(home, "credentials.json");
  const content = JSON.parse(await readFile(file, "utf8"));
  const edited = { ...content, identities: edit(content.identities) };
  await writeFile(file, JSON.stringify(edited), { mode: 0o600 });
}

test("identity show prints what is stored while the feature is off, and sends no request", async () => {
  await logIn("acct-1");
  expectError(await countersign(["identity", "show"], { home }), "no_identity", 3);
  const { agent_runtime_id } = await addAgent("acct-1");
  const shown = await json(["identity", "show"], { home });
  expect(shown).toMatchObject({ agent_runtime_id, account_id: "acct-1" });
  expect(shown).toEqual(await json(["identity", "show"], options));
  expect(authority.requests).toEqual([]);
});

describe("identity list", () => {
  test("of an empty home is an empty list, and makes no home", async () => {
    expect(await json(["identity", "list"], options)).toEqual([]);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("lists every stored agent and marks the login's, without the network and without a key", async () => {
    const first = await addAgent("acct-1");
    const second = await addAgent("acct-2");
    await logIn("acct-2");
    await authority.close();
    const before = contentOf(folder.path);
    // The feature decides nothing about what is stored.
    const listed = await json(["identity", "list"], { home });
    expect(listed).toEqual([
      { ...first, state: "registered", current: false },
      { ...second, state: "registered", current: true },
    ]);
    const text = await output(["identity", "list"], { home });
    expect(text).toMatch(/^ {3}agent_of_acct-1 +registered +user-1 +acct-1 /m);
    expect(text).toMatch(/^\* {2}agent_of_acct-2 +registered +user-1 +acct-2 /m);
    const { identities } = JSON.parse(await readFile(join(home, "credentials.json"), "utf8"));
    for (const { private_key } of identities) {
      expect(text + JSON.stringify(listed)).not.toContain(private_key);
    }
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("marks none while another authority is in use", async () => {
    await logIn("acct-1");
    await addAgent("acct-1");
    const env = { COUNTERSIGN_AUTHORITY: "https://other.example" };
    expect(await json(["identity", "list"], { home, env })).toMatchObject([{ current: false }]);
  });

  test("lists what is pending and what cannot be read beside the rest", async () => {
    await logIn("acct-1");
    await addAgent("acct-1");
    await editIdentities(([entry]) => [
      { ...entry },
      { ...entry, account_id: "acct-2", state: "pending", agent_runtime_id: undefined },
      { ...entry, account_id: "acct-3", private_key: "br0ken" },
      { ...entry, account_id: "acct-4", state: "odd" },
    ]);
    const result = await countersign(["identity", "list", "--json"], options);
    expect(JSON.parse(result.stdout)).toMatchObject([
      { account_id: "acct-1", state: "registered" },
      { account_id: "acct-2", state: "pending", agent_runtime_id: null },
      { account_id: "acct-3", state: "unreadable", agent_public_key: null },
      { account_id: "acct-4", state: "unreadable" },
    ]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr.match(/^warning: .* an identity cannot be read/gm)).toHaveLength(1);
    expect(result.stdout + result.stderr).not.toContain("br0ken");
  });
});

describe("identity forget keeps a key that may work, unless it is forced", () => {
  const forget = ["identity", "forget"];
  const closeDirectory = () =>
    authority.fault("directory", { kind: "status", status: 401, body: "" }, 9);

  test.each([
    { what: "the authority says that the agent is active", make: () => {}, says: "is active at" },
    { what: "its directory takes a token", make: closeDirectory, says: "resource_server token" },
    { what: "it cannot be reached", make: () => authority.close(), says: "(unreachable)" },
  ])("where $what", async ({ make, says }) => {
    await logIn("acct-1");
    await json(["identity", "ensure"], options);
    await make();
    const before = contentOf(folder.path);
    const result = await countersign(forget, options);
    expectError(result, "invalid_request", 1);
    expect(result.stderr).toContain(says);
    expect(result.stderr).toContain("--force");
    expect(contentOf(folder.path)).toEqual(before);
    expect(await json([...forget, "--force"], options)).toMatchObject({ forgotten: true });
  });

  test("where the key that works is that of a rotation which is not finished (G-K5)", async () => {
    await logIn("acct-1");
    await json(["identity", "ensure"], options);
    await editIdentities(([entry]) => [
      {
        ...entry,
        private_key: AgentKey.generate().exportPkcs8(),
        next_private_key: entry?.private_key,
      },
    ]);
    expectError(await countersign(forget, options), "invalid_request", 1);
  });

  test("but not where the key has ended, or the agent has been revoked, here or by others", async () => {
    await logIn("acct-1");
    await json(["identity", "ensure"], options);
    await editIdentities(([entry]) => [
      { ...entry, private_key: AgentKey.generate().exportPkcs8() },
    ]);
    expect(await json(forget, options)).toMatchObject({ forgotten: true });
    const { agent_runtime_id } = await json(["identity", "ensure"], options);
    authority.revokeAgent(agent_runtime_id);
    expect(await json(forget, options)).toMatchObject({ forgotten: true });
    await json(["identity", "ensure"], options);
    await output(["identity", "revoke"], options);
    closeDirectory();
    expect(await json(forget, options)).toMatchObject({ forgotten: true });
  });
});

describe("identity forget", () => {
  test("says what is missing when no login is stored and no user is named", async () => {
    const args = ["identity", "forget", "--authority", authority.url];
    expectError(await countersign(args, options), "not_logged_in", 3);
    const half = ["identity", "forget", "--account", "acct-1"];
    expectError(await countersign(half, options), "usage", 2);
    expect(contentOf(folder.path)).toEqual({});
  });

  test("removes the login's agent here alone; the next one has a key of its own", async () => {
    await logIn("acct-1");
    const first = await addAgent("acct-1");
    const forget = ["identity", "forget"];
    const named = { authority: authority.url, account_id: "acct-1", user_id: "user-1" };
    expect(await json(forget, { home })).toEqual({ ...named, forgotten: true });
    expect(await json(forget, { home })).toEqual({ ...named, forgotten: false });
    expect(authority.requests).toMatchObject([{ url: "/openapi.json" }, { step: "directory" }]);
    expect(await json(["identity", "list"], { home })).toEqual([]);
    const second = await json(["identity", "ensure"], options);
    expect(second.agent_public_key).not.toBe(first.agent_public_key);
  });

  test("removes what is named, readable or not, and nothing else", async () => {
    await logIn("acct-1");
    await addAgent("acct-1");
    const elsewhere = "http://authority.example";
    await editIdentities(([entry]) => [
      { ...entry },
      { ...entry, account_id: "acct-2", state: "odd" },
      { ...entry, authority: elsewhere },
    ]);
    const named = ["identity", "forget", "--user", "user-1"];
    const before = contentOf(folder.path);
    // One cannot be read, of the other the authority cannot be asked.
    for (const args of [["acct-2"], ["acct-1", "--authority", elsewhere]]) {
      const forget = [...named, "--account", ...args];
      expectError(await countersign(forget, options), "invalid_request", 1);
      expect(contentOf(folder.path)).toEqual(before);
    }
    await output([...named, "--account", "acct-2", "--force"], options);
    await output([...named, "--account", "acct-1", "--authority", elsewhere, "--force"], options);
    expect(await json(["identity", "list"], options)).toMatchObject([
      { authority: authority.url, account_id: "acct-1", current: true },
    ]);
  });
});
