import { setImmediate } from "node:timers/promises";
import { StoreError } from "@countersign/agent-key";
import { expect, test } from "vitest";
import type { CredentialStore, Credentials } from "../credential-store.js";
import { guardCredentials } from "../store/guard-credentials.js";
import { memoryStore } from "../store/memory-store.js";
import { credentialStoreContract } from "./credential-store-contract.js";

type StartBroken = () => () => CredentialStore;

/** One memory store with some members changed, for all that open the place. */
function changed(change: (store: CredentialStore) => Partial<CredentialStore>): StartBroken {
  return () => {
    const store = memoryStore();
    const broken = { ...store, ...change(store) };
    return () => broken;
  };
}

const unreadable = async () => {
  throw new StoreError("store_corrupt", "cut off");
};

/** Each breaks the rule that it is named by, and no other. */
const BROKEN: Readonly<Record<string, StartBroken>> = {
  "rejects a content that cannot be read, and does not take it for empty": changed(() => ({})),

  "has a description for messages": changed(() => ({ description: "" })),

  "is empty before anything was written": changed(({ load }) => ({
    async load() {
      const found = await load();
      return found.login === null ? { ...found, note: "new" } : found;
    },
  })),

  "gives back what was written, unknown members too": changed(({ update }) => ({
    update: (change, options) => update((current) => withoutExtra(change(current)), options),
  })),

  "keeps what it had, and gives it back, when a change gives nothing": changed(({ update }) => ({
    update: (change, options) =>
      update((current) => change(current) ?? { ...current, login: null }, options),
  })),

  "keeps what it had, and rejects with what was thrown, when a change throws": changed(
    ({ load, update }) => ({
      update: (change, options) => update(change, options).catch(() => load()),
    }),
  ),

  // What was written first is what a restart finds.
  "has written, for every store of its place, when update has resolved": () => {
    const store = memoryStore();
    let first: Credentials | undefined;
    return () => {
      const atStart = first;
      return {
        ...store,
        load: async () => atStart ?? (await store.load()),
        async update(change, options) {
          const after = await store.update(change, options);
          first ??= await store.load();
          return after;
        },
      };
    };
  },

  // What was loaded once is remembered.
  "loads what another store of its place wrote since it loaded": () => {
    const store = memoryStore();
    return () => {
      let loaded: Credentials | undefined;
      return {
        ...store,
        async load() {
          loaded ??= await store.load();
          return loaded;
        },
        update(change, options) {
          loaded = undefined;
          return store.update(change, options);
        },
      };
    };
  },

  // A change is made to what was loaded.
  "gives a change what another store of its place wrote": () => {
    const store = memoryStore();
    return () => {
      let loaded: Credentials | undefined;
      return {
        ...store,
        async load() {
          loaded = await store.load();
          return loaded;
        },
        update: (change, options) =>
          store.update((current) => {
            const base = loaded ?? current;
            loaded = undefined;
            return change(base);
          }, options),
      };
    };
  },

  "loses no change of many at once": changed(({ load, update }) => ({
    async update(change, options) {
      const next = change(await load());
      await setImmediate();
      return await update(() => next, options);
    },
  })),

  "is not changed through a content that it was given or gave": changed(({ load }) => {
    const given = new Map<string, Credentials>();
    return {
      async load() {
        const found = await load();
        const text = JSON.stringify(found);
        const gave = given.get(text) ?? guardCredentials(structuredClone(found));
        given.set(text, gave);
        return gave;
      },
    };
  }),

  "keeps secrets out of what the console shows": changed(({ load }) => ({
    load: async () => structuredClone(await load()),
  })),

  "gives back what ran under a lock, or rejects with what that threw": changed(({ withLock }) => ({
    withLock: (name, run, options) =>
      withLock(name, () => run().catch((error) => ({ error }) as never), options),
  })),

  // Each store has locks of its own.
  "lets one at a time hold a lock, among all stores of its place": () => {
    const store = memoryStore();
    return () => ({ ...store, withLock: memoryStore().withLock });
  },

  "holds two locks at one time": changed(({ withLock }) => {
    let held: string | undefined;
    return {
      async withLock(name, run, options) {
        if (held !== undefined && held !== name) throw new Error("there is one lock for all");
        const holding = async () => {
          held = name;
          return await run();
        };
        return await withLock(name, holding, options).finally(() => {
          held = undefined;
        });
      },
    };
  }),

  "is changed while a lock is held: the lock of update is another one": changed(
    ({ update, withLock }) => {
      let holders = 0;
      return {
        async update(change, options) {
          if (holders > 0) throw new StoreError("store_locked", "a lock is held");
          return await update(change, options);
        },
        withLock: (name, run, options) => {
          const holding = async () => {
            holders += 1;
            return await run().finally(() => {
              holders -= 1;
            });
          };
          return withLock(name, holding, options);
        },
      };
    },
  ),

  "ends the waiting for a lock with cancelled when the caller's signal is aborted": changed(
    ({ withLock }) => ({
      withLock: (name, run, options) =>
        withLock(name, run, options).catch((error) => {
          throw StoreError.is(error) ? error.cause : error;
        }),
    }),
  ),
};

function withoutExtra(content: Credentials | undefined): Credentials | undefined {
  if (content === undefined) return undefined;
  const { extra, ...rest } = content;
  return rest;
}

/** The names of the cases that a store fails. */
async function failuresOf(rule: string): Promise<string[]> {
  const start = () => ({ open: (BROKEN[rule] ?? changed(() => ({})))() });
  const contract = credentialStoreContract({
    start,
    startUnreadable: rule.startsWith("rejects a content") ? start : startUnreadable,
  });
  const failed: string[] = [];
  for (const { name, run } of contract) await run().catch(() => failed.push(name));
  return failed;
}

function startUnreadable() {
  const store = { ...memoryStore(), load: unreadable, update: unreadable };
  return { open: () => store };
}

test("each rule has a store that breaks it", () => {
  const start = () => ({ open: memoryStore });
  const all = credentialStoreContract({ start, startUnreadable: start });
  expect(all.map(({ name }) => name)).toEqual(Object.keys(BROKEN));
});

test.each(Object.keys(BROKEN))(
  "a store that breaks one rule fails that case alone: %s",
  async (rule) => {
    expect(await failuresOf(rule)).toEqual([rule]);
  },
);

test("a store that breaks no rule fails no case", async () => {
  expect(await failuresOf("none")).toEqual([]);
});
