import { chmod, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { IdentityJwtError, pinnedKeySet } from "@countersign/agent-identity/identity-jwt";
import { AgentKeyError, StoreError } from "@countersign/agent-key";
import { expectRejection, openAuthority, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import {
  createAuth,
  createToken,
  createTokens,
  IDENTITY_A,
  IDENTITY_C,
  openCodexHome,
} from "../test/support/codex-home.js";
import { codexAuth } from "./codex-auth.js";

const AUTHORITY = "https://authority.example";
const HUMAN = {
  kind: "human",
  accountId: "acct-1",
  userId: "user-1",
  accessToken: "secret-access",
  proof: "bearer",
};

async function open(auth?: unknown) {
  const home = await openCodexHome(auth);
  const source = codexAuth(home.root, { authority: AUTHORITY });
  return { ...home, current: async () => await source.current() };
}

test("an authority that is no base URL is refused at once: it is told, never read from the file", () => {
  expect(() => codexAuth("/nowhere", { authority: "nowhere" })).toThrow(AgentKeyError);
});

describe("a file that is no JSON object is store_corrupt with a remedy, and is not quoted", () => {
  test.each([
    ["empty", ""],
    ["cut off", JSON.stringify(createAuth()).slice(0, -4)],
    ["followed by something", `${JSON.stringify(createAuth())} x`],
    ["a list", JSON.stringify([createAuth()])],
    ["a text", '"secret-access"'],
    ["null", "null"],
  ])("%s", async (_, text) => {
    const { current, text: onDisk } = await open(text);
    const error = await expectRejection(current(), StoreError, "store_corrupt");
    expect(error.hint).toContain("log in to Codex again");
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain("secret");
    expect(await onDisk()).toBe(text);
  });

  test("no UTF-8", async () => {
    const { current, file } = await open();
    await writeFile(file, Buffer.from([0x7b, 0xff, 0x7d]));
    await expectRejection(current(), StoreError, "store_corrupt");
  });
});

describe("a login that cannot be read is store_corrupt: never another login, never a logout", () => {
  const tokens = createTokens();
  const auth = "https://api.openai.com/auth";
  test.each<[string, unknown]>([
    ["a mode that is no text", createAuth({ auth_mode: 7 })],
    ["tokens that are no object", createAuth({ tokens: "secret-access" })],
    ["no account", createAuth({ tokens: { ...tokens, account_id: undefined } })],
    ["an account with a space", createAuth({ tokens: { ...tokens, account_id: "acct 1" } })],
    ["no access token", createAuth({ tokens: { ...tokens, access_token: "" } })],
    ["an id token that is not a JWT", createAuth({ tokens: { ...tokens, id_token: "secret" } })],
    ["an id token of no JSON", createAuth({ tokens: { ...tokens, id_token: "e30.secret.x" } })],
    [
      "an id token that names no user",
      createAuth({ tokens: { ...tokens, id_token: createToken({ [auth]: {} }) } }),
    ],
    ["a user that is no id", createAuth({ tokens: createTokens("acct-1", "a user") })],
    [
      "an identity JWT that is not a text",
      createAuth({ auth_mode: "agentIdentity", agent_identity: 7 }),
    ],
    [
      "an identity JWT that names no user",
      createAuth({ auth_mode: "agentIdentity", agent_identity: createToken({}) }),
    ],
  ])("%s", async (_, value) => {
    const { current } = await open(value);
    const error = await expectRejection(current(), StoreError, "store_corrupt");
    expect(error.message).toContain("auth.json");
    expect(`${error.message} ${error.hint}`).not.toContain("secret");
  });
});

describe("there is no login", () => {
  test.each<[string, unknown]>([
    ["without a file", undefined],
    ["with an empty object", {}],
    ["without tokens", createAuth({ tokens: null })],
    ["with an API key", createAuth({ auth_mode: "apikey", OPENAI_API_KEY: "sk-secret" })],
    [
      "with an API key in a file without a mode",
      createAuth({ auth_mode: undefined, OPENAI_API_KEY: "sk" }),
    ],
    ["in a mode that is not known", createAuth({ auth_mode: "later" })],
  ])("%s", async (_, value) => {
    const { current } = await open(value);
    expect(await current()).toBeUndefined();
  });

  test("without a Codex home", async () => {
    const nowhere = join(await openDirectory(), "none");
    expect(await codexAuth(nowhere, { authority: AUTHORITY }).current()).toBeUndefined();
  });
});

describe("a place that is not this user's own is store_denied", () => {
  test("a link to nothing, a folder in place of the file, a folder that everybody may write to", async () => {
    const { current, root, file, write } = await open();
    await symlink(join(root, "none"), file);
    await expectRejection(current(), StoreError, "store_denied");
    await rename(file, join(root, "link"));
    await mkdir(file);
    await expectRejection(current(), StoreError, "store_denied");
    await rename(file, join(root, "folder"));
    await write(createAuth());
    expect(await current()).toMatchObject(HUMAN);
    await chmod(root, 0o777);
    const error = await expectRejection(current(), StoreError, "store_denied");
    expect(error.hint).toContain("chmod o-w");
  });

  test("a link out of such a folder, and into one", async () => {
    const { current, root, file, write } = await open(createAuth());
    const target = join(await openDirectory(), "auth.json");
    await rename(file, target);
    await symlink(target, file);
    await write(createAuth());
    expect(await current()).toMatchObject(HUMAN);
    for (const folder of [root, join(target, "..")]) {
      await chmod(folder, 0o777);
      await expectRejection(current(), StoreError, "store_denied");
      await chmod(folder, 0o755);
    }
  });
});

describe("a human's login is read whatever agent_identity is", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["an object of generation A", IDENTITY_A],
    ["an object of generation A of another account", { ...IDENTITY_A, workspace_id: "acct-2" }],
    ["an object of generation A without its id", { ...IDENTITY_A, agent_runtime_id: undefined }],
    ["an object of generation C", IDENTITY_C],
    ["an identity JWT", createToken({ agent_runtime_id: "agent_b" })],
    ["a broken text", "secret"],
    ["a number", 7],
    ["a list", [IDENTITY_A]],
    ["an object of a later generation", { generation: "D" }],
  ])("%s", async (_, value) => {
    const { current } = await open(createAuth({ agent_identity: value }));
    expect(await current()).toMatchObject(HUMAN);
  });
});

test("an older claim names the user too, and biscuit is the proof where it is told", async () => {
  const claims = { "https://api.openai.com/auth": { user_id: "user-2", chatgpt_user_id: null } };
  const tokens = { ...createTokens(), id_token: createToken(claims) };
  const { root } = await open(createAuth({ auth_mode: undefined, tokens }));
  const auth = codexAuth(root, { authority: AUTHORITY, proof: "biscuit" });
  expect(await auth.current()).toMatchObject({ ...HUMAN, userId: "user-2", proof: "biscuit" });
});

test("every call reads the file again: a switch, a refresh and a logout are seen at once", async () => {
  const { current, write } = await open(createAuth());
  expect(await current()).toMatchObject(HUMAN);
  await write(createAuth({ tokens: createTokens("acct-2", "user-2", "secret-2") }));
  expect(await current()).toMatchObject({ accountId: "acct-2", accessToken: "secret-2" });
  await write({});
  expect(await current()).toBeUndefined();
});

describe("an identity JWT", () => {
  const openToken = async (members?: object) => {
    const authority = await openAuthority();
    const issued = authority.issueIdentityJwt({ accountId: "acct-1", userId: "user-1" });
    const value = { auth_mode: "agentIdentity", agent_identity: issued.token, ...members };
    const { root } = await openCodexHome(value);
    const keySet = pinnedKeySet(authority.issuer.keySet);
    const auth = codexAuth(root, { authority: authority.url, keySet });
    return { authority, issued, current: async () => await auth.current() };
  };

  test("is refused when its signature does not hold, and not shown", async () => {
    const forged = createToken({ account_id: "acct-1", chatgpt_user_id: "user-1" });
    const { current } = await openToken({ agent_identity: forged });
    const error: unknown = await current().catch((reason: unknown) => reason);
    expect(IdentityJwtError.is(error)).toBe(true);
    expect(String(error)).not.toContain(forged);
  });

  test("is the agent of its home once it is verified, with no request where the keys are pinned", async () => {
    for (const members of [{}, { auth_mode: undefined }]) {
      const { authority, issued, current } = await openToken(members);
      const identity = { accountId: "acct-1", agentRuntimeId: issued.claims.agent_runtime_id };
      expect(await current()).toMatchObject({ kind: "agent", identity });
      expect(authority.requests).toEqual([]);
    }
  });
});
