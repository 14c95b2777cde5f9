import assert from "node:assert/strict";
import type { ContractPlace, ContractRules } from "@countersign/agent-key";
import type { StoredThread } from "../schema/stored-thread.js";
import type { TaskStore } from "../store/task-store.js";
import { sampleThread } from "./sample-thread.js";

/** Rules of the contract of task stores. */
export type Rules = ContractRules<ContractPlace<TaskStore>>;

// File systems and databases take some of these for one: by case, by Unicode form, by trailing space, by path.
const ODD_SCOPES = [
  "thread",
  "Thread",
  "thread ",
  "./thread",
  "thread/../thread",
  "../thread",
  "thread%2F",
  "\u00e9",
  "e\u0301",
  "нить \u{1F9F5}",
  "%",
  "__proto__",
  "constructor",
  "x".repeat(255),
  "x".repeat(256),
];

export const UNREADABLE_SCOPE = "thread-unreadable";

export const UNREADABLE_RULES: Rules = {
  "rejects a thread that cannot be read, and does not take it for absent": async ({ open }) => {
    const store = await open();
    await assert.rejects(store.load(UNREADABLE_SCOPE));
    await assert.rejects(store.load(UNREADABLE_SCOPE), "the second load resolved");
  },
};

export const THREAD_RULES: Rules = {
  "loads undefined for a thread that was never saved": async ({ open }) => {
    const store = await open();
    assert.equal(await store.load("thread-1"), undefined);
    await store.save("thread-1", sampleThread("thread-1"));
    assert.equal(await store.load("thread-2"), undefined);
  },

  "loads a thread as it was saved, with its unknown members": async ({ open }) => {
    const store = await open();
    for (const tasks of [0, 1, 3]) {
      await store.save("thread-1", sampleThread("thread-1", tasks));
      assert.deepEqual(await store.load("thread-1"), sampleThread("thread-1", tasks));
    }
  },

  "saves a thread as a whole: what it held before is gone": async ({ open }) => {
    const store = await open();
    await store.save("thread-1", sampleThread("thread-1", 3));
    const bare: StoredThread = { version: 1, scope: "thread-1", tasks: [] };
    await store.save("thread-1", bare);
    assert.deepEqual(await store.load("thread-1"), bare);
  },

  "has saved a thread, for every store of its place, when save has resolved": async ({ open }) => {
    const store = await open();
    for (const tasks of [1, 2]) {
      await store.save("thread-1", sampleThread("thread-1", tasks));
      assert.deepEqual(await (await open()).load("thread-1"), sampleThread("thread-1", tasks));
    }
  },

  "loads what another store of its place saved since it loaded": async ({ open }) => {
    const [store, other] = [await open(), await open()];
    assert.equal(await store.load("thread-1"), undefined);
    for (const tasks of [1, 2]) {
      await other.save("thread-1", sampleThread("thread-1", tasks));
      assert.deepEqual(await store.load("thread-1"), sampleThread("thread-1", tasks));
    }
  },

  "distinguishes threads by every character of their scope": async ({ open }) => {
    const store = await open();
    for (const scope of ODD_SCOPES) await store.save(scope, sampleThread(scope));
    const again = await open();
    for (const scope of ODD_SCOPES) {
      assert.deepEqual(await again.load(scope), sampleThread(scope));
    }
  },

  "is not changed through a thread that it was given or gave": async ({ open }) => {
    const store = await open();
    const mine = structuredClone(sampleThread("thread-1"));
    await store.save("thread-1", mine);
    spoil(mine);
    const given = await store.load("thread-1");
    assert.deepEqual(given, sampleThread("thread-1"));
    spoil(given);
    assert.deepEqual(await store.load("thread-1"), sampleThread("thread-1"));
  },

  "loses no thread of many that are saved at once": async ({ open }) => {
    const stores = [await open(), await open()];
    const scopes = Array.from({ length: 24 }, (_, index) => `thread-${index}`);
    await Promise.all(
      scopes.map(async (scope, index) =>
        stores[index % stores.length]?.save(scope, sampleThread(scope)),
      ),
    );
    const again = await open();
    for (const scope of scopes) assert.deepEqual(await again.load(scope), sampleThread(scope));
  },

  "keeps one of several saves of a thread at once, whole": async ({ open }) => {
    const [store, other] = [await open(), await open()];
    const sizes = [1, 9, 2, 8, 3, 7];
    await Promise.all(
      sizes.map((tasks, index) =>
        (index % 2 === 0 ? store : other).save("thread-1", sampleThread("thread-1", tasks)),
      ),
    );
    const kept = await (await open()).load("thread-1");
    const size = kept?.tasks.length ?? -1;
    assert.ok(sizes.includes(size), `none of the saved threads is kept: ${size} tasks`);
    assert.deepEqual(kept, sampleThread("thread-1", size));
  },
};

export const LIST_RULES: Rules = {
  "lists every stored thread once, and none before one is saved": async ({ open }) => {
    const store = await open();
    assert.deepEqual(await store.list?.(), []);
    const scopes = ["thread-1", "thread-2", "thread-3"];
    for (const scope of [...scopes, "thread-1"]) await store.save(scope, sampleThread(scope));
    const listed = (await (await open()).list?.()) ?? [];
    assert.deepEqual(
      byScope(listed),
      scopes.map((scope) => sampleThread(scope)),
    );
  },
};

export const REMOVE_RULES: Rules = {
  "removes a thread once, and returns whether there was one": async ({ open }) => {
    const store = await open();
    assert.equal(await store.remove?.("thread-1"), false);
    await store.save("thread-1", sampleThread("thread-1"));
    assert.equal(await store.remove?.("thread-1"), true);
    assert.equal(await store.remove?.("thread-1"), false);
  },

  "keeps nothing of a removed thread, and everything of the others": async ({ open }) => {
    const store = await open();
    for (const scope of ["thread-1", "thread-2"]) await store.save(scope, sampleThread(scope));
    await store.remove?.("thread-1");
    for (const one of [store, await open()]) {
      assert.equal(await one.load("thread-1"), undefined);
      assert.deepEqual(await one.load("thread-2"), sampleThread("thread-2"));
      if (one.list !== undefined) assert.deepEqual(await one.list(), [sampleThread("thread-2")]);
    }
  },
};

function byScope(threads: readonly StoredThread[]): StoredThread[] {
  return threads.toSorted((a, b) => (a.scope < b.scope ? -1 : 1));
}

// What a caller could do to an object in spite of its type. A frozen one may refuse.
function spoil(thread: StoredThread | undefined): void {
  const [task] = thread?.tasks ?? [];
  for (const target of [task, thread?.tasks, thread]) {
    if (target !== undefined) Reflect.set(target, "spoilt", true);
  }
}
