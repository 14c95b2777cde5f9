import assert from "node:assert/strict";
import type { TaskStore } from "../store/task-store.js";
import { sampleThread } from "./sample-thread.js";
import type { Rules } from "./thread-rules.js";

type Locking = TaskStore & Required<Pick<TaskStore, "withLock">>;

export const LOCK_RULES: Rules = {
  "gives back what ran under the lock, or rejects with what that threw": async ({ open }) => {
    const store = locking(await open());
    assert.equal(await store.withLock("thread-1", async () => "done"), "done");
    const failure = new Error("failed under the lock");
    const failing = store.withLock("thread-1", async () => {
      throw failure;
    });
    await assert.rejects(failing, (error) => error === failure);
    assert.equal(await store.withLock("thread-1", async () => "again"), "again");
  },

  "lets one at a time hold the lock of a scope, among all stores of its place": async ({
    open,
  }) => {
    const [store, other] = [locking(await open()), locking(await open())];
    let holders = 0;
    const hold = async (): Promise<void> => {
      holders += 1;
      assert.equal(holders, 1, "two hold the lock of one scope at one time");
      // Long enough for another store to take the lock in between, if it does not wait for it.
      for (let round = 0; round < 3; round += 1) await store.load("thread-1");
      holders -= 1;
    };
    const turns = Array.from({ length: 8 }, (_, index) =>
      (index % 2 === 0 ? store : other).withLock("thread-1", hold),
    );
    await Promise.all(turns);
  },

  "holds the locks of two scopes at one time": async ({ open }) => {
    const [store, other] = [locking(await open()), locking(await open())];
    const inner = () => other.withLock("thread-2", async () => "both");
    assert.equal(await store.withLock("thread-1", inner), "both");
  },

  "loads and saves a thread while its lock is held": async ({ open }) => {
    const store = locking(await open());
    await store.withLock("thread-1", async () => {
      assert.equal(await store.load("thread-1"), undefined);
      await store.save("thread-1", sampleThread("thread-1"));
      assert.deepEqual(await store.load("thread-1"), sampleThread("thread-1"));
    });
    assert.deepEqual(await store.load("thread-1"), sampleThread("thread-1"));
  },

  "ends the waiting for a lock when the caller's signal is aborted, and runs nothing": async ({
    open,
  }) => {
    const store = locking(await open());
    const abort = new AbortController();
    let ran = false;
    const run = async (): Promise<void> => {
      ran = true;
    };
    await store.withLock("thread-1", async () => {
      const waiting = store.withLock("thread-1", run, { signal: abort.signal });
      abort.abort(new Error("the caller has left"));
      await assert.rejects(waiting);
    });
    assert.equal(await store.withLock("thread-1", async () => "free"), "free");
    assert.equal(ran, false, "it ran although its caller had left");
  },
};

export const LOCKED_RULES: Rules = {
  "reports whether the lock of a scope is held, in every store of its place": async ({ open }) => {
    const [store, other] = [locking(await open()), await open()];
    const isLocked = async (): Promise<unknown> => [
      await other.isLocked?.("thread-1"),
      await other.isLocked?.("thread-2"),
      await store.isLocked?.("thread-1"),
    ];
    assert.deepEqual(await isLocked(), [false, false, false]);
    assert.deepEqual(await store.withLock("thread-1", isLocked), [true, false, true]);
    assert.deepEqual(await isLocked(), [false, false, false]);
  },
};

// That it has the member is a rule of its own.
function locking(store: TaskStore): Locking {
  assert.ok(store.withLock !== undefined, "the store has no withLock");
  return store as Locking;
}
