import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type ContractPlace, type ContractRules, StoreError } from "@countersign/agent-key";
import type { CredentialStore, Credentials } from "../credential-store.js";
import type { StoredIdentity, StoredLogin } from "../schema/credentials.js";

/** Rules of the contract of credential stores. */
export type Rules = ContractRules<ContractPlace<CredentialStore>>;

const LOGIN: StoredLogin = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  kind: "human",
  proof: "bearer",
  access_token: "secret-token",
  logged_in_at: "2026-03-23T12:00:00Z",
};

const EMPTY = { version: 1, login: null, identities: [] };

function identity(user: string): StoredIdentity {
  return {
    authority: "https://authority.example",
    account_id: "acct-1",
    user_id: user,
    private_key: "secret-key",
    state: "pending",
  };
}

const withIdentity = (user: string) => (current: Credentials) => ({
  ...current,
  identities: [...current.identities, identity(user)],
});
const withLogin = (current: Credentials) => ({ ...current, login: { ...LOGIN } });

function usersOf({ identities }: Credentials): string[] {
  return identities.map(({ user_id }) => user_id).toSorted();
}

export const UNREADABLE_RULES: Rules = {
  "rejects a content that cannot be read, and does not take it for empty": async ({ open }) => {
    const store = await open();
    let calls = 0;
    const change = (current: Credentials) => {
      calls += 1;
      return current;
    };
    for (const call of [() => store.load(), () => store.update(change), () => store.load()]) {
      await assert.rejects(call, (error) => {
        assert.ok(StoreError.is(error), "it rejects with another error");
        assert.match(error.code, /^store_(corrupt|denied)$/);
        return true;
      });
    }
    assert.equal(calls, 0, "a change was asked for");
  },
};

export const CONTENT_RULES: Rules = {
  "has a description for messages": async ({ open }) => {
    const { description } = await open();
    assert.match(description, /\S/);
  },

  "is empty before anything was written": async ({ open }) => {
    assert.deepEqual(known(await (await open()).load()), EMPTY);
  },

  "gives back what was written, unknown members too": async ({ open }) => {
    const store = await open();
    const content = {
      version: 1,
      login: { ...LOGIN, plan: "kept" },
      identities: [{ ...identity("user-1"), note: { kept: [1, null, "\u{1F511}"] } }],
      extra: { a: 1 },
    } as const;
    assert.deepEqual(known(await store.update(() => content)), content);
    assert.deepEqual(known(await store.load()), content);
  },

  "keeps what it had, and gives it back, when a change gives nothing": async ({ open }) => {
    const store = await open();
    await store.update(withLogin);
    assert.deepEqual(known(await store.update(() => undefined)), { ...EMPTY, login: LOGIN });
    assert.deepEqual(known(await store.load()), { ...EMPTY, login: LOGIN });
  },

  "keeps what it had, and rejects with what was thrown, when a change throws": async ({ open }) => {
    const store = await open();
    await store.update(withLogin);
    const failure = new Error("the change failed");
    const failing = store.update(() => {
      throw failure;
    });
    await assert.rejects(failing, (error) => error === failure);
    assert.deepEqual(known(await store.load()), { ...EMPTY, login: LOGIN });
    assert.deepEqual(usersOf(await store.update(withIdentity("user-1"))), ["user-1"]);
  },

  "has written, for every store of its place, when update has resolved": async ({ open }) => {
    const store = await open();
    for (const users of [["user-1"], ["user-1", "user-2"]]) {
      await store.update(withIdentity(users.at(-1) ?? ""));
      assert.deepEqual(usersOf(await (await open()).load()), users);
    }
  },

  "loads what another store of its place wrote since it loaded": async ({ open }) => {
    const [store, other] = [await open(), await open()];
    assert.deepEqual(usersOf(await store.load()), []);
    await other.update(withIdentity("user-1"));
    assert.deepEqual(usersOf(await store.load()), ["user-1"]);
    await other.update((current) => ({ ...current, identities: [] }));
    assert.deepEqual(usersOf(await store.load()), []);
  },

  "gives a change what another store of its place wrote": async ({ open }) => {
    const [store, other] = [await open(), await open()];
    await store.load();
    await other.update(withIdentity("user-1"));
    const after = await store.update(withIdentity("user-2"));
    assert.deepEqual(usersOf(after), ["user-1", "user-2"]);
  },

  "loses no change of many at once": async ({ open }) => {
    const stores = [await open(), await open()] as const;
    const users = Array.from({ length: 12 }, (_, index) => `user-${index}`);
    await Promise.all(
      users.map((user, index) => stores[index % 2 === 0 ? 0 : 1].update(withIdentity(user))),
    );
    assert.deepEqual(usersOf(await stores[0].load()), users.toSorted());
  },

  "is not changed through a content that it was given or gave": async ({ open }) => {
    const store = await open();
    const mine = { version: 1, login: { ...LOGIN }, identities: [identity("user-1")] } as const;
    const expected = structuredClone<Credentials>(mine);
    const updated = await store.update(() => mine);
    for (const content of [mine, updated, await store.load()]) {
      spoil(content);
      assert.deepEqual(known(await store.load()), expected);
    }
  },

  "keeps secrets out of what the console shows": async ({ open }) => {
    const store = await open();
    await store.update(withLogin);
    const updated = await store.update(withIdentity("user-1"));
    for (const content of [updated, await store.load()]) {
      for (const part of [content, content.login, content.identities]) {
        assert.doesNotMatch(inspect(part, { depth: 9 }), /secret-(token|key)/);
      }
    }
  },
};

// A member that is undefined is as good as absent.
function known(credentials: Credentials): unknown {
  return Object.fromEntries(Object.entries(credentials).filter(([, value]) => value !== undefined));
}

// What a caller could do to an object in spite of its type. A frozen one may refuse.
function spoil({ login, identities }: Credentials): void {
  for (const target of [login, identities[0]]) {
    if (target !== null && target !== undefined) Reflect.set(target, "user_id", "spoilt");
  }
}
