import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentIdentityManager, fileStore, loginAuth } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import type { TestAuthority } from "@countersign/testing";
import { beforeEach, expect, test } from "vitest";
import { createCodexAuth } from "../src/codex/codex-home.js";
import { countersign, expectError, json, output, storeLogin } from "./command-line.js";
import { writeFakeCodex } from "./fake-codex.js";
import { freshWorld } from "./fresh-home.js";

let home: string;
let root: string;
let authority: TestAuthority;
let options: { home: string; env: Record<string, string> };
let line: string;

// A home whose agent's key is kept by another program, and another login's agent beside it.
beforeEach(async () => {
  const world = await freshWorld();
  ({ home, authority, options } = world);
  root = world.folder.path;
  const accessToken = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  await storeLogin(home, {
    authority: authority.url,
    accountId: "acct-1",
    userId: "user-1",
    accessToken,
  });
  const key = AgentKey.generate();
  line = key.publicKey.line;
  const store = fileStore(home);
  const manager = new AgentIdentityManager({
    authority: authority.url,
    auth: loginAuth(store, authority.url),
    store,
    signers: [{ publicKey: key.publicKey, sign: async (text) => key.sign(text) }],
  });
  await manager.ensure();
  await manager.close();
  await store.update((current) => ({
    ...current,
    identities: [
      ...current.identities,
      {
        authority: authority.url,
        account_id: "acct-2",
        user_id: "user-1",
        public_key: AgentKey.generate().publicKey.line,
        agent_runtime_id: "agent_2",
        state: "registered",
      },
    ],
  }));
});

const usersHere = async () => {
  const { identities } = JSON.parse(await readFile(join(home, "credentials.json"), "utf8"));
  return identities.map(({ account_id }: { account_id: string }) => account_id);
};

test("an agent whose key is kept elsewhere is listed with its public key, and says why it signs nothing here", async () => {
  expect(await json(["identity", "list"], options)).toMatchObject([
    { agent_public_key: line, state: "registered", current: true },
    { account_id: "acct-2" },
  ]);
  for (const command of [["header"], ["identity", "show"], ["identity", "rotate"]]) {
    const result = await countersign(command, options);
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain(line);
  }
});

test("it is not exported to Codex, whose file then stays as it is", async () => {
  const codexHome = join(root, "codex");
  await mkdir(codexHome, { mode: 0o700 });
  const human = { accountId: "acct-1", userId: "user-1", accessToken: "t0ken", now: 0 };
  const auth = createCodexAuth(human);
  await writeFile(join(codexHome, "auth.json"), auth, { mode: 0o600 });
  const { PATH } = await writeFakeCodex(root, "0.122.0");
  const result = await countersign(["identity", "export", "--codex-home", codexHome], {
    ...options,
    env: { ...options.env, PATH },
  });
  expectError(result, "config_invalid", 2);
  expect(await readFile(join(codexHome, "auth.json"), "utf8")).toBe(auth);
});

test("it is revoked, and no other agent is marked or removed with it", async () => {
  await output(["identity", "revoke"], options);
  const { identities } = JSON.parse(await readFile(join(home, "credentials.json"), "utf8"));
  expect(identities.map(({ revoked }: { revoked?: boolean }) => revoked)).toEqual([
    true,
    undefined,
  ]);
  await output(["logout", "--revoke"], options);
  expect(await usersHere()).toEqual(["acct-2"]);
});
