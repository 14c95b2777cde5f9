import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { StoredThread } from "../schema/stored-thread.js";
import { memoryTaskStore } from "../store/memory-task-store.js";
import type { CompleteTaskStore } from "../store/task-store.js";
import { type OptionalTaskStoreMember, taskStoreContract } from "./task-store-contract.js";

type Change = (store: CompleteTaskStore) => Partial<CompleteTaskStore>;
type StartBroken = () => () => CompleteTaskStore;

/** One memory store with some members changed, for all that open the place. */
function changed(change: Change): StartBroken {
  return () => {
    const store = memoryTaskStore();
    const broken = { ...store, ...change(store) };
    return () => broken;
  };
}

/** Each breaks the rule that it is named by, and no other. */
const BROKEN: Readonly<Record<string, StartBroken>> = {
  "rejects a thread that cannot be read, and does not take it for absent": changed(() => ({})),

  "loads undefined for a thread that was never saved": changed(({ load }) => ({
    load: async (scope) => {
      const found = await load(scope);
      return found ?? (scope === "thread-2" ? { version: 1, scope, tasks: [] } : undefined);
    },
  })),

  "loads a thread as it was saved, with its unknown members": changed(({ save }) => ({
    save(scope, { later, ...known }) {
      return save(scope, known.tasks.length === 0 ? known : { ...known, later });
    },
  })),

  "saves a thread as a whole: what it held before is gone": changed(({ load, save }) => ({
    save: async (scope, thread) => save(scope, { ...(await load(scope)), ...thread }),
  })),

  // The file's first version is what a restart finds.
  "has saved a thread, for every store of its place, when save has resolved": () => {
    const store = memoryTaskStore();
    const first = new Map<string, StoredThread>();
    return () => {
      const atStart = new Map(first);
      return {
        ...store,
        load: async (scope) => {
          const found = await store.load(scope);
          return found && (atStart.get(scope) ?? found);
        },
        save(scope, thread) {
          if (!first.has(scope)) first.set(scope, structuredClone(thread));
          return store.save(scope, thread);
        },
      };
    };
  },

  // What was absent once is remembered as absent.
  "loads what another store of its place saved since it loaded": () => {
    const store = memoryTaskStore();
    return () => {
      const absent = new Set<string>();
      return {
        ...store,
        async load(scope) {
          if (absent.has(scope)) return undefined;
          const found = await store.load(scope);
          if (found === undefined) absent.add(scope);
          return found;
        },
        save(scope, thread) {
          absent.delete(scope);
          return store.save(scope, thread);
        },
      };
    };
  },

  "distinguishes threads by every character of their scope": changed(({ load, save }) => ({
    load: async (scope) => (await load(scope.trim())) ?? undefined,
    save: (scope, thread) => save(scope.trim(), thread),
  })),

  "is not changed through a thread that it was given or gave": changed(({ load }) => {
    const given = new Map<string, StoredThread>();
    return {
      async load(scope) {
        const found = await load(scope);
        const text = JSON.stringify(found);
        if (found !== undefined && !given.has(text)) given.set(text, found);
        return given.get(text);
      },
    };
  }),

  "loses no thread of many that are saved at once": changed(({ save }) => {
    let saving = 0;
    return {
      async save(scope, thread) {
        saving += 1;
        await setImmediate();
        if (saving < 20) await save(scope, thread);
        saving -= 1;
      },
    };
  }),

  "keeps one of several saves of a thread at once, whole": changed(({ save }) => {
    const saving = new Map<string, StoredThread>();
    return {
      async save(scope, thread) {
        const tasks = [...(saving.get(scope)?.tasks ?? []), ...thread.tasks];
        saving.set(scope, thread);
        await setImmediate();
        saving.delete(scope);
        await save(scope, { ...thread, tasks });
      },
    };
  }),

  "has the optional members that it is said to have, and no others": changed(() => ({})),

  "lists every stored thread once, and none before one is saved": changed(({ list }) => ({
    list: async () => (await list()).slice(0, 2),
  })),

  "removes a thread once, and returns whether there was one": changed(({ remove }) => ({
    remove: async (scope) => (await remove(scope)) || true,
  })),

  "keeps nothing of a removed thread, and everything of the others": changed(({ remove }) => ({
    async remove(scope) {
      await remove("thread-2");
      return await remove(scope);
    },
  })),

  "gives back what ran under the lock, or rejects with what that threw": changed(
    ({ withLock }) => ({
      withLock: (scope, run, options) =>
        withLock(scope, () => run().catch((error) => ({ error }) as never), options),
    }),
  ),

  // Each store has locks of its own.
  "lets one at a time hold the lock of a scope, among all stores of its place": () => {
    const store = memoryTaskStore();
    const locks: CompleteTaskStore[] = [];
    return () => {
      const own = memoryTaskStore();
      locks.push(own);
      const isLocked = async (scope: string) =>
        (await Promise.all(locks.map((each) => each.isLocked(scope)))).includes(true);
      return { ...store, withLock: own.withLock, isLocked };
    };
  },

  "holds the locks of two scopes at one time": changed(({ withLock }) => {
    let held: string | undefined;
    return {
      async withLock(scope, run, options) {
        if (held !== undefined && held !== scope) throw new Error("there is one lock for all");
        const holding = async () => {
          held = scope;
          return await run();
        };
        return await withLock(scope, holding, options).finally(() => {
          held = undefined;
        });
      },
    };
  }),

  "loads and saves a thread while its lock is held": changed(({ save, isLocked }) => ({
    async save(scope, thread) {
      if (await isLocked(scope)) throw new Error("the thread is locked");
      await save(scope, thread);
    },
  })),

  "ends the waiting for a lock when the caller's signal is aborted, and runs nothing": changed(
    ({ withLock }) => ({
      withLock: (scope, run, options) =>
        options?.signal === undefined ? withLock(scope, run) : run(),
    }),
  ),

  "reports whether the lock of a scope is held, in every store of its place": changed(() => ({
    isLocked: async () => false,
  })),
};

const MEMBERS: readonly OptionalTaskStoreMember[] = ["list", "remove", "withLock", "isLocked"];

/** The names of the cases that a store fails. */
async function failuresOf(rule: string): Promise<string[]> {
  const start = () => ({ open: (BROKEN[rule] ?? changed(() => ({})))() });
  const contract = taskStoreContract({
    start,
    startUnreadable: rule.startsWith("rejects a thread") ? start : startUnreadable,
    members: rule.startsWith("has the optional") ? MEMBERS.slice(1) : MEMBERS,
  });
  const failed: string[] = [];
  for (const { name, run } of contract) await run().catch(() => failed.push(name));
  return failed;
}

function startUnreadable() {
  const store = memoryTaskStore();
  const load = async () => {
    throw new Error("cut off");
  };
  return { open: () => ({ ...store, load }) };
}

test("each rule has a store that breaks it", () => {
  const start = () => ({ open: memoryTaskStore });
  const all = taskStoreContract({ start, startUnreadable: start, members: MEMBERS });
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
