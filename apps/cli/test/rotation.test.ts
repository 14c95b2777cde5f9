import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fileStore } from "@countersign/agent-identity";
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
import { FEATURE_ON, freshWorld } from "./fresh-home.js";

let folder: TemporaryDirectory;
let home: string;
let authority: TestAuthority;
let options: { home: string; env: Record<string, string> };

beforeEach(async () => {
  ({ folder, home, authority, options } = await freshWorld());
});

async function logIn(accountId = "acct-1", userId = "user-1"): Promise<void> {
  const accessToken = authority.addHuman({ accountId, userId });
  await storeLogin(home, { authority: authority.url, accountId, userId, accessToken });
}

const refusal = (status: number, code: string) =>
  ({ kind: "status", status, body: { title: code, status, code } }) as const;

describe("identity rotate", () => {
  test("says what is missing", async () => {
    expectError(await countersign(["identity", "rotate"], options), "not_logged_in", 3);
    await logIn();
    expectError(await countersign(["identity", "rotate"], options), "no_identity", 3);
    await output(["identity", "ensure"], options);
    expectError(await countersign(["identity", "rotate"], { home }), "no_identity", 3);
    expectError(await countersign(["identity", "rotate", "now"], options), "usage", 2);
    expect(authority.counts.rotateKey).toBe(0);
  });

  test("gives the same agent a new key; its task goes on with it", async () => {
    await logIn();
    const before = await json(["identity", "ensure"], options);
    const task = await json(["task", "ensure", "--thread", "t"], options);
    const rotated = await json(["identity", "rotate"], options);
    const { agent_public_key, former_key_ends_at, ...rest } = rotated;
    const { agent_public_key: former, ...same } = before;
    expect(rest).toEqual(same);
    expect(agent_public_key).not.toBe(former);
    expect(former_key_ends_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(authority.agents).toMatchObject([
      { publicKey: agent_public_key, formerKeys: [former], endedKeys: [] },
    ]);
    expect(await json(["task", "ensure", "--thread", "t"], options)).toEqual(task);
    expect(await json(["identity", "show"], options)).toMatchObject({ agent_public_key });
  });

  test("ends a compromised key at once, and says so", async () => {
    await logIn();
    await output(["identity", "ensure"], options);
    const rotate = ["identity", "rotate", "--compromised"];
    expect(await json(rotate, options)).toMatchObject({ former_key_ends_at: null });
    expect(await output(rotate, options)).toMatch(/^former_key_ends_at +it has ended$/m);
    expect(authority.agents).toMatchObject([{ formerKeys: [] }]);
    expect(authority.agents[0]?.endedKeys).toHaveLength(2);
  });

  test.each([
    [401, "unauthenticated", 4],
    [401, "agent_revoked", 4],
    [403, "forbidden", 4],
    [503, "server_error", 5],
  ] as const)("that is answered with %i %s fails with that code", async (status, code, exit) => {
    await logIn();
    const before = await json(["identity", "ensure"], options);
    authority.fault("rotate_key", refusal(status, code), 3);
    expectError(await countersign(["identity", "rotate"], options), code, exit);
    expect(await json(["identity", "show"], options)).toEqual(before);
  });
});

describe("identity revoke", () => {
  test("says what is missing", async () => {
    expectError(await countersign(["identity", "revoke"], options), "not_logged_in", 3);
    await logIn();
    expectError(await countersign(["identity", "revoke"], options), "no_identity", 3);
    expect(authority.requests).toEqual([]);
  });

  test("ends the agent, which stays stored so that nothing takes its place", async () => {
    await logIn();
    const { agent_runtime_id, account_id, user_id } = await json(["identity", "ensure"], options);
    const revoke = ["identity", "revoke"];
    // The feature decides about using agents, not about ending them.
    expect(await json(revoke, { home })).toEqual({
      authority: authority.url,
      account_id,
      user_id,
      agent_runtime_id,
      agent_state: "revoked",
    });
    expect(authority.agents).toMatchObject([{ state: "revoked" }]);
    expect(await output(revoke, options)).toContain("countersign identity forget");
    const refused = await countersign(["task", "ensure", "--thread", "t"], options);
    expectError(refused, "agent_revoked", 4);
    await output(["identity", "forget"], options);
    await output(["task", "ensure", "--thread", "t"], options);
    expect(authority.agents).toMatchObject([{ state: "revoked" }, { state: "active" }]);
  });

  test("is refused for an agent that is not this human's", async () => {
    await logIn();
    await storeIdentity(home, { authority: authority.url });
    expectError(await countersign(["identity", "revoke"], options), "unknown_agent", 4);
  });
});

describe("logout --revoke", () => {
  test("ends and removes the agent, and logs out", async () => {
    await logIn();
    const { agent_runtime_id } = await json(["identity", "ensure"], options);
    await storeIdentity(home, { authority: authority.url, accountId: "acct-2" });
    expect(await json(["logout", "--revoke"], { home })).toEqual({
      logged_out: true,
      revoked_agent: agent_runtime_id,
    });
    expect(authority.agents).toMatchObject([{ state: "revoked" }]);
    expect(await json(["identity", "list"], options)).toMatchObject([{ account_id: "acct-2" }]);
    const { login } = await fileStore(home).load();
    expect(login).toBeNull();
  });

  test("without an agent, or without a login, is a logout", async () => {
    await logIn();
    const revoke = ["logout", "--revoke"];
    expect(await json(revoke, options)).toEqual({ logged_out: true, revoked_agent: null });
    expect(await json(revoke, options)).toEqual({ logged_out: false, revoked_agent: null });
    expect(authority.requests).toEqual([]);
  });

  test("changes nothing where the authority does not end the agent", async () => {
    await logIn();
    await output(["identity", "ensure"], options);
    const before = contentOf(folder.path);
    authority.fault("revoke_agent", refusal(401, "unauthenticated"));
    expectError(await countersign(["logout", "--revoke"], options), "unauthenticated", 4);
    expect(contentOf(folder.path)).toEqual(before);
  });
});

test("a rotation that is killed is finished by the next one, with the key that was stored first", async () => {
  await logIn();
  await output(["identity", "ensure"], options);
  const hook = pathToFileURL(join(import.meta.dirname, "processes/die-at-step.ts")).href;
  const env = { ...FEATURE_ON, NODE_OPTIONS: `--import=${hook}`, DIE_AFTER: "answered" };
  const killed = await countersign(["identity", "rotate"], { home, env });
  expect([killed.signal, killed.stderr.trim().split("\n").at(-1)]).toEqual([
    "SIGKILL",
    "step: answered",
  ]);
  const [entry] = JSON.parse(await readFile(join(home, "credentials.json"), "utf8")).identities;
  expect(entry.next_private_key).toEqual(expect.any(String));
  const listed = await output(["identity", "list", "--json"], options);
  expect(listed).not.toContain(entry.next_private_key);
  const rotated = await json(["identity", "rotate"], options);
  expect(authority.agents).toMatchObject([{ publicKey: rotated.agent_public_key }]);
  expect(authority.agents[0]?.formerKeys).toHaveLength(1);
});
