import { existsSync, renameSync, writeFileSync } from "node:fs";
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import {
  type Credentials,
  fileStore,
  memoryStore,
  removeLogin,
  type StoredIdentity,
  saveLogin,
} from "@countersign/agent-identity";
import { AgentKey, AgentKeyError, StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  CODEX_KEY,
  createAuth,
  createToken,
  createTokens,
  IDENTITY_A,
  IDENTITY_C,
  openCodexHome,
  openManager,
} from "../test/support/codex-home.js";
import { codexAuthStore } from "./codex-auth-store.js";

const AUTHORITY = "https://authority.example";
const isRoot = process.getuid?.() === 0;
const ENTRY_A = {
  authority: AUTHORITY,
  account_id: "acct-1",
  user_id: "user-1",
  private_key: CODEX_KEY,
  agent_runtime_id: "agent_a",
  state: "registered",
  registered_at: "2026-03-23T12:00:00Z",
} as const;
const TOKEN = createToken({ agent_private_key: "secret-key" });

function identity(members: Partial<StoredIdentity> = {}): StoredIdentity {
  const private_key = AgentKey.generate().exportPkcs8();
  return { ...ENTRY_A, private_key, agent_runtime_id: "agent_new", ...members };
}

const withIdentity = (entry: StoredIdentity) => (current: Credentials) => ({
  ...current,
  identities: [...current.identities, entry],
});
const withoutIdentities = (current: Credentials) => ({
  ...current,
  identities: [],
  unreadable: current.unreadable?.filter(({ member }) => member !== "identities"),
});
const same = (current: Credentials) => current;

test("an authority that is no base URL is refused at once", () => {
  const make = () => codexAuthStore("/nowhere", { authority: "x", beside: memoryStore() });
  expect(make).toThrow(AgentKeyError);
});

describe("what cannot be used is an error with a remedy, is left as it is, and nothing is registered", () => {
  const cases: readonly [
    string,
    "store_corrupt" | "store_denied",
    (file: string) => Promise<void>,
  ][] = [
    ["a file that was cut off", "store_corrupt", (file) => writeFile(file, '{"tokens":{"access_')],
    ["an empty file", "store_corrupt", (file) => writeFile(file, "")],
    ["a link to nothing", "store_denied", (file) => symlink("none", file)],
    ["a folder", "store_denied", async (file) => void (await mkdir(file))],
  ];
  test.each(cases)("%s", async (_, code, make) => {
    const { root, file, store } = await openCodexHome();
    await make(file);
    const before = await lstat(file, { bigint: true });
    const error = await expectRejection(store.load(), StoreError, code);
    expect(error.hint).toBeDefined();
    await expectRejection(store.update(withIdentity(identity())), StoreError, code);
    const { manager, authority } = await openManager(store);
    await expectRejection(manager.ensure(), StoreError, code);
    expect(authority.counts.registerAgent).toBe(0);
    const { mtimeNs, ino } = await lstat(file, { bigint: true });
    expect({ mtimeNs, ino }).toEqual({ mtimeNs: before.mtimeNs, ino: before.ino });
    expect((await readdir(root)).filter((name) => name !== "home")).toEqual(["auth.json"]);
  });

  test.runIf(isRoot)("a file or folder of another user", async () => {
    const { root, file, store } = await openCodexHome(createAuth());
    for (const path of [file, root]) {
      await chown(path, 4242, 4242);
      await expectRejection(store.load(), StoreError, "store_denied");
      await expectRejection(store.update(same), StoreError, "store_denied");
      await chown(path, 0, 0);
    }
  });

  test("a store beside that cannot be used", async () => {
    const { home, store, text } = await openCodexHome(createAuth());
    const before = await text();
    await writeFile(home, "");
    await expectRejection(store.load(), StoreError, "store_denied");
    const change = store.update(withIdentity(identity()));
    await expectRejection(change, StoreError, "store_denied");
    expect(await text()).toBe(before);
  });
});

describe("the login is Codex's: it is neither changed nor removed here", () => {
  const { account_id, ...withoutAccount } = createTokens();
  const logins: readonly [string, unknown][] = [
    ["a human's", createAuth()],
    ["one that cannot be read", createAuth({ tokens: withoutAccount })],
    ["no login", {}],
  ];
  test.each(logins)("%s", async (_, auth) => {
    const { store, text } = await openCodexHome(auth);
    const before = await text();
    const saving = saveLogin(store, {
      authority: AUTHORITY,
      account_id,
      user_id: "user-2",
      kind: "human",
      proof: "bearer",
      access_token: "mine",
      logged_in_at: "",
    });
    const error = await expectRejection(saving, StoreError, "store_denied");
    expect(error.hint).toContain("codex login");
    const removal = removeLogin(store);
    if ("tokens" in (auth as object)) {
      await expectRejection(removal, StoreError, "store_denied");
    } else {
      expect(await removal).toBe(false);
    }
    expect(await text()).toBe(before);
  });

  test("and that of the store beside is another, which stays", async () => {
    const { store, home } = await openCodexHome(createAuth());
    await mkdir(home, { mode: 0o700 });
    const login = { kind: "of a later version" };
    const stored = { version: 1, login, identities: [], note: 1 };
    await writeFile(join(home, "credentials.json"), JSON.stringify(stored), { mode: 0o600 });
    const { unreadable, note, login: seen } = await store.update(withIdentity(identity()));
    expect({ unreadable, note, user: seen?.user_id }).toEqual({
      unreadable: undefined,
      note: 1,
      user: "user-1",
    });
    expect(JSON.parse(await readFile(join(home, "credentials.json"), "utf8"))).toMatchObject({
      login,
      note: 1,
    });
  });
});

describe("agent_identity is read in every form", () => {
  test("A: an identity of the authority that was told", async () => {
    const { store } = await openCodexHome(createAuth({ agent_identity: IDENTITY_A }));
    expect(await store.load()).toEqual({
      version: 1,
      login: {
        authority: AUTHORITY,
        account_id: "acct-1",
        user_id: "user-1",
        kind: "human",
        proof: "bearer",
        access_token: "secret-access",
        logged_in_at: "2026-03-23T12:00:00.123456Z",
      },
      identities: [ENTRY_A],
    });
  });

  test("C: an identity too", async () => {
    const { store } = await openCodexHome(createAuth({ agent_identity: IDENTITY_C }));
    const { registered_at, ...entry } = ENTRY_A;
    expect((await store.load()).identities).toEqual([{ ...entry, agent_runtime_id: "agent_c" }]);
  });

  test("B: the login of an agent", async () => {
    const token = createToken({ account_id: "acct-1", chatgpt_user_id: "user-1" });
    const { store } = await openCodexHome({ auth_mode: "agentIdentity", agent_identity: token });
    const { login, identities, unreadable } = await store.load();
    expect(login).toMatchObject({ kind: "agent", authority: AUTHORITY, identity_token: token });
    expect({ identities, unreadable }).toEqual({ identities: [], unreadable: undefined });
  });
});

describe("what is no identity that is known spoils nothing, and is kept at every write", () => {
  const others: readonly [string, unknown][] = [
    ["an identity JWT", TOKEN],
    ["a broken text", "secret-key"],
    ["a number", 7],
    ["a list", [IDENTITY_A]],
    ["an object of a later generation", { generation: "D", agent_private_key: "secret-key" }],
    ["an object of A for no user", { ...IDENTITY_A, chatgpt_user_id: undefined }],
    [
      "an object of A of another user, cut short",
      { ...IDENTITY_A, chatgpt_user_id: "user-2", agent_runtime_id: "../x" },
    ],
    ["an object of C, cut short", { ...IDENTITY_C, agent_private_key: undefined }],
  ];
  test.each(others)("%s", async (_, agent_identity) => {
    const { store, value, beside } = await openCodexHome(createAuth({ agent_identity }));
    const before = await value();
    const { login, unreadable = [] } = await store.load();
    expect(login).toMatchObject({ user_id: "user-1" });
    for (const { problem } of unreadable) expect(problem).not.toContain("secret");
    const entry = identity();
    const after = await store.update(withIdentity(entry));
    expect(after.identities).toEqual([entry]);
    expect(await value()).toEqual(before);
    expect(await beside()).toMatchObject({ identities: [entry] });
    // It is not what is kept beside, and does not come back as such.
    expect((await beside()).identities).toHaveLength(1);
    expect(await store.load()).toEqual(after);
  });

  test("an identity of generation C is not replaced: what is registered instead stands beside and counts", async () => {
    const { store, value, beside } = await openCodexHome(
      createAuth({ agent_identity: IDENTITY_C }),
    );
    const { identities } = await store.update(same);
    expect(identities).toMatchObject([{ agent_runtime_id: "agent_c" }]);
    expect((await beside()).identities).toEqual([]);
    const entry = identity();
    await store.update((current) => ({ ...current, identities: [entry] }));
    expect((await store.load()).identities).toEqual([entry]);
    expect(await value()).toEqual(createAuth({ agent_identity: IDENTITY_C }));
    await store.update(withoutIdentities);
    expect(await value()).toEqual(createAuth());
    expect((await store.load()).identities).toEqual([]);
  });

  test("the same agent in the form of C stays unless a form is stated", async () => {
    const { root, value, home } = await openCodexHome(createAuth({ agent_identity: IDENTITY_C }));
    const mine = identity({ agent_runtime_id: "agent_c", private_key: CODEX_KEY });
    await fileStore(home).update(withIdentity(mine));
    const open = (form?: "A") =>
      codexAuthStore(root, { authority: AUTHORITY, beside: fileStore(home), form });
    await open().update(same);
    expect((await value()).agent_identity).toEqual(IDENTITY_C);
    await open("A").update(same);
    expect((await value()).agent_identity).toMatchObject({
      workspace_id: "acct-1",
      agent_runtime_id: "agent_c",
    });
  });

  test("an agent with the same key and another id stays in the form of C, whatever form is stated", async () => {
    const { root, value, home } = await openCodexHome(createAuth({ agent_identity: IDENTITY_C }));
    await fileStore(home).update(withIdentity(identity({ private_key: CODEX_KEY })));
    const beside = fileStore(home);
    await codexAuthStore(root, { authority: AUTHORITY, beside, form: "A" }).update(same);
    expect((await value()).agent_identity).toEqual(IDENTITY_C);
  });

  test.each<[string, unknown]>([
    ["of A", IDENTITY_A],
    ["of A, cut short", { ...IDENTITY_A, agent_private_key: undefined }],
    ["of C", IDENTITY_C],
    ["of a later generation", { generation: "D" }],
  ])("an object %s goes when it is forgotten on purpose", async (_, agent_identity) => {
    const { store, value } = await openCodexHome(createAuth({ agent_identity }));
    await store.update(withoutIdentities);
    expect(await value()).toEqual(createAuth());
    expect(await store.load()).toMatchObject({ identities: [], unreadable: undefined });
  });
});

describe("auth.json is written as Codex writes it", () => {
  test("agent_identity in the form of A, after last_refresh, with two spaces and no final newline", async () => {
    const { store, text } = await openCodexHome(createAuth());
    await store.update(withIdentity(ENTRY_A));
    const expected = JSON.stringify(createAuth({ agent_identity: IDENTITY_A }), undefined, 2);
    expect(await text()).toBe(expected);
    const names = Object.keys(JSON.parse(await text()));
    expect(names).toEqual([
      "auth_mode",
      "OPENAI_API_KEY",
      "tokens",
      "last_refresh",
      "agent_identity",
    ]);
  });

  test("every other member as it was written, in its order", async () => {
    const { auth_mode, ...rest } = createAuth();
    const tokens = JSON.stringify(rest.tokens);
    const given = `{"later":[1.0,{"2":12345678901234567890,"1":1e2}],"auth_mode":"chatgpt","tokens":${tokens},\n"last_refresh":"\\u0041","personal":{"a":"\\/"},"later":null}`;
    const { store, text } = await openCodexHome(given);
    await store.update(withIdentity(ENTRY_A));
    const written = JSON.stringify(IDENTITY_A);
    const expected = given
      .replace("\n", "")
      .replace(',"personal"', `,"agent_identity":${written},"personal"`);
    expect((await text()).replaceAll(/\n\s*/g, "").replaceAll('": ', '":')).toBe(expected);
    await store.update(withoutIdentities);
    const without = (await text()).replaceAll(/\n\s*/g, "").replaceAll('": ', '":');
    expect(without).toBe(given.replace("\n", ""));
  });

  test("unknown members of an identity stay with its key, and go with another", async () => {
    const agent_identity = { note: 1, ...IDENTITY_A, later: { a: [1] } };
    const { store, value, text } = await openCodexHome(createAuth({ agent_identity }));
    const renew = (members: object) => (current: Credentials) => ({
      ...current,
      identities: current.identities.map((entry) => ({ ...entry, ...members })),
    });
    await store.update(renew({ registered_at: "2026-03-24T12:00:00Z" }));
    const registered_at = "2026-03-24T12:00:00Z";
    const renewed = createAuth({ agent_identity: { ...agent_identity, registered_at } });
    expect(await text()).toBe(JSON.stringify(renewed, undefined, 2));
    const { note, later, ...other } = identity();
    await store.update((current) => ({ ...current, identities: [other as StoredIdentity] }));
    expect((await value()).agent_identity).toEqual({
      ...IDENTITY_A,
      agent_runtime_id: "agent_new",
      agent_private_key: other.private_key,
    });
  });

  test("nothing where nothing changed, and no file where there is none", async () => {
    const compact = JSON.stringify(createAuth({ agent_identity: IDENTITY_A }));
    const { store, text } = await openCodexHome(compact);
    await store.update(same);
    await store.update(() => undefined);
    await store.update(withIdentity(identity({ user_id: "user-2" })));
    expect(await text()).toBe(compact);
    const nowhere = await openCodexHome();
    const entry = identity();
    await nowhere.store.update(withIdentity(entry));
    expect((await nowhere.store.load()).identities).toEqual([entry]);
    expect(await readdir(nowhere.root)).toEqual(["home"]);
  });

  test("0600 at every write and every look, whatever it was", async () => {
    const { file, store, mode } = await openCodexHome(createAuth());
    for (const use of [() => store.load(), () => store.update(withIdentity(ENTRY_A))]) {
      await chmod(file, 0o644);
      await use();
      expect(await mode()).toBe(0o600);
    }
  });

  test("beside the target of a symbolic link, which stays a link", async () => {
    const { root, file, store, value } = await openCodexHome(createAuth());
    const folder = join(root, "dotfiles");
    await mkdir(folder);
    await rename(file, join(folder, "codex.json"));
    await symlink("dotfiles/codex.json", file);
    await writeFile(join(folder, "codex.json.0123456789abcdef01234567.tmp"), "left over");
    await store.update(withIdentity(ENTRY_A));
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect((await value()).agent_identity).toEqual(IDENTITY_A);
    expect(await readdir(folder)).toEqual(["codex.json"]);
    expect((await readdir(root)).sort()).toEqual(["auth.json", "dotfiles", "home"]);
  });
});

describe("auth.json holds the identity of its account, and no other is lost", () => {
  test("a key that is not registered stands beside it", async () => {
    const { store, value, beside } = await openCodexHome(createAuth());
    const { agent_runtime_id, registered_at, ...rest } = ENTRY_A;
    const pending = { ...rest, state: "pending" } as const;
    const { identities } = await store.update(withIdentity(pending));
    expect(identities).toEqual([pending]);
    expect(await value()).toEqual(createAuth());
    expect((await beside()).identities).toEqual([pending]);
  });

  test("another account's identity moves aside, and back after the next switch", async () => {
    const { store, write, value } = await openCodexHome(createAuth({ agent_identity: IDENTITY_A }));
    const switchTo = (account: string, agent_identity: unknown) =>
      write(createAuth({ tokens: createTokens(account), agent_identity }));
    await switchTo("acct-2", IDENTITY_A);
    const second = identity({ account_id: "acct-2" });
    await store.update(withIdentity(second));
    expect((await value()).agent_identity).toMatchObject({ workspace_id: "acct-2" });
    expect((await store.load()).identities).toHaveLength(2);
    await switchTo("acct-1", (await value()).agent_identity);
    await store.update(same);
    expect((await value()).agent_identity).toEqual(IDENTITY_A);
    // Codex itself has one place alone, and writes over it.
    await write(createAuth());
    expect((await store.load()).identities).toEqual(expect.arrayContaining([ENTRY_A, second]));
  });

  test("an agent that Codex registered later counts before the copy beside it", async () => {
    const { store, write } = await openCodexHome(createAuth());
    await store.update(withIdentity(ENTRY_A));
    await write(createAuth({ agent_identity: { ...IDENTITY_A, agent_runtime_id: "agent_z" } }));
    expect((await store.load()).identities).toEqual([{ ...ENTRY_A, agent_runtime_id: "agent_z" }]);
  });

  test("a key stays with the authority it was registered with, whatever is told later", async () => {
    const { store, reopen, value } = await openCodexHome(createAuth());
    await store.update(withIdentity(ENTRY_A));
    const elsewhere = reopen("https://other.example");
    expect((await elsewhere.load()).identities).toEqual([ENTRY_A]);
    const other = identity({ authority: "https://other.example" });
    await elsewhere.update(withIdentity(other));
    expect((await value()).agent_identity).toMatchObject({ agent_runtime_id: "agent_new" });
    expect((await elsewhere.load()).identities).toEqual(expect.arrayContaining([ENTRY_A, other]));
    expect((await store.load()).identities).toEqual(expect.arrayContaining([ENTRY_A, other]));
  });

  test("an agent with the same id hides it in no part: of another authority, account or user", async () => {
    for (const members of [
      { authority: "https://other.example" },
      { account_id: "acct-2" },
      { user_id: "user-2" },
    ]) {
      const { store, home } = await openCodexHome(createAuth({ agent_identity: IDENTITY_A }));
      const other = identity({ agent_runtime_id: IDENTITY_A.agent_runtime_id, ...members });
      await fileStore(home).update(withIdentity(other));
      expect((await store.load()).identities).toEqual([other, ENTRY_A]);
    }
  });

  test("an authority that a file names is not read", async () => {
    const agent_identity = { ...IDENTITY_A, authority: "https://evil.example" };
    const auth = createAuth({ agent_identity, chatgpt_base_url: "https://evil.example" });
    const { store } = await openCodexHome(auth);
    const { login, identities } = await store.load();
    expect([login?.authority, identities[0]?.authority]).toEqual([AUTHORITY, AUTHORITY]);
  });
});

describe("other writers", () => {
  test("a change is made again on top of what Codex wrote, and given up if Codex never stops writing", async () => {
    const { file, store, value } = await openCodexHome(createAuth());
    const meddle = (token: string) =>
      writeFileSync(
        file,
        JSON.stringify(createAuth({ tokens: createTokens("acct-1", "user-1", token) })),
      );
    let calls = 0;
    await store.update((current) => {
      calls += 1;
      // The store beside asks first whether there is anything to write at all.
      if (calls === 2) meddle("refreshed");
      return withIdentity(identity({ agent_runtime_id: `agent_${calls}` }))({
        ...current,
        identities: [],
      });
    });
    expect(await value()).toMatchObject({
      tokens: { access_token: "refreshed" },
      agent_identity: { agent_runtime_id: `agent_${calls}` },
    });
    const change = store.update((current) => {
      calls += 1;
      meddle("x".repeat(calls));
      return withIdentity(identity())({ ...current, identities: [] });
    });
    const error = await expectRejection(change, StoreError, "store_locked");
    expect(error.retryable).toBe(true);
    expect((await value()).agent_identity).toBeUndefined();
  });

  test("a logout during a change stays a logout", async () => {
    const { file, store, value } = await openCodexHome(createAuth());
    let isOut = false;
    await store.update((current) => {
      if (!isOut) writeFileSync(file, "{}");
      isOut = true;
      return withIdentity(ENTRY_A)({ ...current, identities: [] });
    });
    expect(await value()).toEqual({});
    expect(await store.load()).toMatchObject({ login: null, identities: [ENTRY_A] });
  });

  test.runIf(process.getuid !== undefined)(
    "a reader waits while Codex has cut the file and not written it yet",
    async () => {
      const { file, store } = await openCodexHome("");
      const uid = process.getuid?.() ?? 0;
      let looks = 0;
      // The owner is looked at for each of two folders, then at each opening of the file: the fourth look is at the second opening.
      const look = vi.spyOn(process, "getuid").mockImplementation(() => {
        looks += 1;
        if (looks === 4) writeFileSync(file, JSON.stringify(createAuth()));
        return uid;
      });
      onTestFinished(() => look.mockRestore());
      expect((await store.load()).login).toMatchObject({ user_id: "user-1" });
      expect(looks).toBeGreaterThan(3);
    },
  );

  test("a writer whose lock was taken away changes nothing in the file", async () => {
    const { file, store, text } = await openCodexHome(createAuth());
    const before = await text();
    const change = store.update((current) => {
      const lock = `${file}.countersign.lock`;
      if (existsSync(lock)) renameSync(lock, `${file}.elsewhere`);
      return withIdentity(ENTRY_A)(current);
    });
    const error = await expectRejection(change, StoreError, "store_locked");
    expect(error.retryable).toBe(true);
    expect(await text()).toBe(before);
  });

  test("many stores at once lose no identity and no member", async () => {
    const { reopen, value } = await openCodexHome({ ...createAuth(), later: 1 });
    const users = Array.from({ length: 8 }, (_, i) => `user-${i}`);
    await Promise.all(users.map((user_id) => reopen().update(withIdentity(identity({ user_id })))));
    const { identities } = await reopen().load();
    expect(identities.map(({ user_id }) => user_id).sort()).toEqual(users);
    expect(await value()).toMatchObject({
      later: 1,
      agent_identity: { chatgpt_user_id: "user-1" },
    });
  });
});

test("named locks are those of the store beside", async () => {
  const { store, home } = await openCodexHome(createAuth());
  await store.withLock("a", async () => expect(await readdir(home)).toEqual(["locks"]));
});

test("a store beside in memory does too", async () => {
  const { root, value } = await openCodexHome(createAuth());
  const store = codexAuthStore(root, { authority: AUTHORITY, beside: memoryStore() });
  await store.update(withIdentity(ENTRY_A));
  expect((await value()).agent_identity).toEqual(IDENTITY_A);
});

test("a Codex home that does not exist has no login", async () => {
  const nowhere = join(await openDirectory(), "none");
  const store = codexAuthStore(nowhere, { authority: AUTHORITY, beside: memoryStore() });
  expect(await store.load()).toMatchObject({ login: null, identities: [] });
});
