import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileStore, saveLogin } from "@countersign/agent-identity";
import { createIdentityJwtLogin, pinnedKeySet } from "@countersign/agent-identity/identity-jwt";
import {
  headerOf,
  startTestAuthority,
  startTestUpstream,
  type TemporaryDirectory,
  type TestAuthority,
} from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { HEADER_FILE } from "../src/header/header-decision.js";
import { contentOf, countersign, expectError, json, output } from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

const WHO = { accountId: "acct-1", userId: "user-1" };

let folder: TemporaryDirectory;
let home: string;
let authority: TestAuthority;
let options: { home: string; env: Record<string, string> };

beforeEach(async () => {
  ({ folder, home, authority, options } = await freshWorld());
});

const loginArgs = (...more: string[]) => [
  ...["login", "--authority", authority.url, "--identity-jwt-stdin"],
  ...more,
];
const stored = async () => JSON.parse(await readFile(join(home, "credentials.json"), "utf8"));
const issue = (claims: Readonly<Record<string, unknown>> = {}, lifetimeSeconds?: number) =>
  authority.issueIdentityJwt({ ...WHO, claims, lifetimeSeconds });

// As `login` does it, without a process of its own.
async function logIn() {
  const issued = issue();
  const keySet = pinnedKeySet(authority.issuer.keySet);
  const login = await createIdentityJwtLogin(issued.token, { authority: authority.url, keySet });
  await saveLogin(fileStore(home), login);
  return issued;
}

describe("an identity JWT that is refused leaves no home behind", () => {
  const DAY = 86_400;
  test.each([
    {
      what: "one that expired",
      code: "agent_expired",
      says: "expired at",
      make: () => issue({}, -DAY).token,
    },
    {
      what: "another audience",
      code: "unauthenticated",
      says: '"other"',
      make: () => issue({ aud: "other" }).token,
    },
    {
      what: "another issuer",
      code: "unauthenticated",
      says: '"other"',
      make: () => issue({ iss: "other" }).token,
    },
    {
      what: "a missing claim",
      code: "malformed",
      says: "agent_runtime_id",
      make: () => issue({ agent_runtime_id: undefined }).token,
    },
    {
      what: "a key that is not in the set",
      code: "bad_signature",
      says: "kid",
      make: () => authority.issuer.sign(issue().claims, { header: { kid: "key-9" } }),
    },
    {
      what: "another algorithm",
      code: "bad_signature",
      says: "HS256",
      make: () => authority.issuer.sign(issue().claims, { algorithm: "HS256" }),
    },
    {
      what: "a signature that does not hold",
      code: "bad_signature",
      says: "signature",
      make: () => `${issue().token.slice(0, -8)}AAAAAAAA`,
    },
    { what: "an opaque token", code: "malformed", says: "three parts", make: () => "at-0paque" },
  ])("rejects $what as $code", async ({ code, says, make }) => {
    const input = make();
    const result = await countersign(loginArgs(), { home, input });
    expectError(result, code, 4);
    expect(result.stderr).toContain(says);
    for (const part of input.split(".")) expect(result.stderr).not.toContain(part);
    expect(contentOf(folder.path)).toEqual({});
  });

  test.each([
    { what: "the options of a human", args: ["--account", "acct-1", "--user", "user-1"] },
    { what: "a proof", args: ["--proof", "bearer"] },
    { what: "a human's token", args: ["--token-stdin"] },
  ])("rejects $what beside it", async ({ args }) => {
    const result = await countersign(loginArgs(...args), { home, input: issue().token });
    expectError(result, "usage", 2);
    expect(authority.requests).toEqual([]);
  });

  test("rejects a key set without an identity JWT, one that is missing, and one that is not valid", async () => {
    const input = issue().token;
    const human = [
      "login",
      "--authority",
      authority.url,
      "--token-stdin",
      "--key-set",
      "keys.json",
    ];
    expectError(await countersign(human, { home, input: "t0ken" }), "usage", 2);
    const file = join(folder.path, "keys.json");
    const args = loginArgs("--key-set", file);
    expectError(await countersign(args, { home, input }), "config_invalid", 2);
    for (const text of ["{", "{}", '{"keys": []}']) {
      await writeFile(file, text);
      expectError(await countersign(args, { home, input }), "config_invalid", 2);
    }
    expect(authority.requests).toEqual([]);
  });

  test("rejects a key set that cannot be fetched, as a temporary error", async () => {
    authority.fault("key_set", { kind: "status", status: 503 }, Number.POSITIVE_INFINITY);
    expectError(await countersign(loginArgs(), { home, input: issue().token }), "server_error", 5);
    expect(contentOf(folder.path)).toEqual({});
  });

  test.each([
    { what: "login", args: () => ["login", "--authority", authority.url, "--token-stdin"] },
    {
      what: "codex export",
      args: () => [
        ...["codex", "export", "--codex-home", join(folder.path, "codex"), "--token-stdin"],
        ...["--account", "acct-1", "--user", "user-1", "--authority", authority.url],
        ...["--gateway", "https://gateway.example"],
      ],
    },
  ])("$what never takes it for a human's token, and sends it nowhere", async ({ args }) => {
    const { token } = issue();
    const result = await countersign(args(), { home, input: token });
    expectError(result, "usage", 2);
    expect(result.stderr).toContain("--identity-jwt-stdin");
    expect(result.stderr).not.toContain(token);
    expect(authority.requests).toEqual([]);
    expect(contentOf(folder.path)).toEqual({});
  });
});

describe("login --identity-jwt-stdin", () => {
  test("asks for the key set once, and keeps the agent as the login", async () => {
    const { token, agentRuntimeId } = issue();
    expect(await json(loginArgs(), { home, input: `${token}\n` })).toEqual({
      authority: authority.url,
      account_id: "acct-1",
      user_id: "user-1",
      agent_runtime_id: agentRuntimeId,
    });
    expect(authority.counts.keySet).toBe(1);
    expect(authority.requests).toHaveLength(1);
    expect((await stored()).login).toMatchObject({ kind: "agent", identity_token: token });
  });

  test("takes the option by its older name", async () => {
    const { token } = issue();
    const older = loginArgs().map((arg) => arg.replace("identity-jwt", "identity-token"));
    expect(older).toContain("--identity-token-stdin");
    await json(older, { home, input: token });
    expect((await stored()).login).toMatchObject({ kind: "agent", identity_token: token });
  });

  test("status shows it without the network and without a secret", async () => {
    const { token, agentRuntimeId, privateKey } = await logIn();
    await authority.close();
    const requests = authority.requests.length;
    const before = contentOf(folder.path);
    const shown = await json(["status"], options);
    expect(shown).toMatchObject({
      store: "file",
      login: { kind: "agent", account_id: "acct-1", user_id: "user-1" },
      identity: { agent_runtime_id: agentRuntimeId },
    });
    const text = await output(["status"], options);
    expect(text).toContain("user-1 of acct-1 (identity JWT)");
    for (const secret of [token, privateKey]) {
      expect(text + JSON.stringify(shown)).not.toContain(secret);
    }
    expect(await json(["identity", "show"], options)).toMatchObject({
      agent_runtime_id: agentRuntimeId,
    });
    expect(authority.requests).toHaveLength(requests);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("header, request and task ensure work with it: its task is registered, no agent is", async () => {
    await using upstream = await startTestUpstream();
    const { agentRuntimeId } = await logIn();
    const task = await json(["task", "ensure"], options);
    expect(task).toMatchObject({ agent_runtime_id: agentRuntimeId });
    const line = await output(["header"], options);
    const [, encoded = ""] = /^Authorization: AgentAssertion ([\w-]+)\n$/.exec(line) ?? [];
    const envelope = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
    expect(envelope).toMatchObject({ agent_runtime_id: agentRuntimeId, task_id: task.task_id });
    // The token ends by itself, so that each header is decided again.
    expect(contentOf(home)).not.toHaveProperty([join(home, HEADER_FILE)]);
    await output(["request", upstream.url, "--origin", upstream.url], options);
    const [request] = upstream.requests;
    expect(request && headerOf(request, "authorization")).toMatch(/^AgentAssertion /);
    expect(authority.counts).toMatchObject({ registerAgent: 0, registerTask: 1 });
  });

  test("with the feature off it is put into no header", async () => {
    const { token } = await logIn();
    await using upstream = await startTestUpstream();
    const { url } = upstream;
    const request = ["request", url, "--origin", url, "--bearer-origin", url];
    for (const [args, code] of [
      [["header"], "no_identity"],
      [request, "not_logged_in"],
    ] as const) {
      const result = await countersign(args, { home });
      expectError(result, code, 3);
      expect(result.stdout + result.stderr).not.toContain(token);
    }
    expect(upstream.requests).toEqual([]);
  });

  test("the keys of a file are pinned: no server is asked for keys, then or later", async () => {
    const file = join(folder.path, "keys.json");
    const { token } = issue();
    await writeFile(file, JSON.stringify(authority.issuer.keySet));
    await output(loginArgs("--key-set", file), { home, input: token });
    await writeFile(file, "");
    await output(["task", "ensure"], options);
    expect(authority.counts).toMatchObject({ keySet: 0, registerTask: 1 });
    const { login, ...rest } = await stored();
    const unpinned = { ...rest, login: { ...login, key_set: undefined } };
    await writeFile(join(home, "credentials.json"), JSON.stringify(unpinned));
    expectError(await countersign(["task", "ensure"], options), "store_corrupt", 1);
    expect(authority.counts.keySet).toBe(0);
  });

  test("the keys of another URL are asked for there, then and later", async () => {
    await using other = await startTestAuthority();
    const body = authority.issuer.keySet;
    other.fault("key_set", { kind: "answer", body }, Number.POSITIVE_INFINITY);
    const url = `${other.url}/api/codex/agent-identities/jwks`;
    await output(loginArgs("--key-set", url), { home, input: issue().token });
    await output(["task", "ensure"], options);
    expect(authority.counts.keySet).toBe(0);
    expect(other.counts.keySet).toBe(2);
  });

  test("an end of the token is told by status, and stops everything else", async () => {
    await logIn();
    const { login, ...rest } = await stored();
    const expired = { ...login, identity_token: issue({}, -3600).token };
    await writeFile(join(home, "credentials.json"), JSON.stringify({ ...rest, login: expired }));
    const result = await countersign(["status", "--json"], options);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stderr).toContain("(agent_expired)");
    expect(JSON.parse(result.stdout)).toMatchObject({ identity: null, login: { kind: "agent" } });
    expectError(await countersign(["task", "ensure"], options), "agent_expired", 4);
    expect(authority.counts.registerTask).toBe(0);
  });

  test("logout --revoke changes nothing: its agent goes on, and no human here could end it", async () => {
    await logIn();
    const before = contentOf(folder.path);
    expectError(await countersign(["logout", "--revoke"], options), "not_logged_in", 3);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("logout forgets it whole", async () => {
    const { token, privateKey } = await logIn();
    await output(["header"], options);
    expect(await json(["logout"], { home })).toEqual({ logged_out: true });
    for (const path of Object.keys(contentOf(home))) {
      if (contentOf(home)[path] === "folder") continue;
      const text = await readFile(path, "utf8");
      expect(text.includes(token) || text.includes(privateKey)).toBe(false);
    }
    expectError(await countersign(["header"], options), "not_logged_in", 3);
  });
});
