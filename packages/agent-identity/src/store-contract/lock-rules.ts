import assert from "node:assert/strict";
import { StoreError } from "@countersign/agent-key";
import type { Rules } from "./content-rules.js";

// None of them may reach a path.
const NAMES = ["lock", "b / ../x", "../lock", "нить \u{1F512}", "x".repeat(300)];

export const LOCK_RULES: Rules = {
  "gives back what ran under a lock, or rejects with what that threw": async ({ open }) => {
    const store = await open();
    for (const name of NAMES) {
      assert.equal(await store.withLock(name, async () => "done"), "done");
    }
    const failure = new Error("failed under the lock");
    const failing = store.withLock("lock", async () => {
      throw failure;
    });
    await assert.rejects(failing, (error) => error === failure);
    assert.equal(await store.withLock("lock", async () => "again"), "again");
  },

  "lets one at a time hold a lock, among all stores of its place": async ({ open }) => {
    const stores = [await open(), await open()] as const;
    let holders = 0;
    const hold = async (): Promise<void> => {
      holders += 1;
      assert.equal(holders, 1, "two hold one lock at one time");
      // Long enough for another store to take the lock in between, if it does not wait for it.
      for (let round = 0; round < 3; round += 1) await stores[0].load();
      holders -= 1;
    };
    const turns = Array.from({ length: 8 }, (_, index) =>
      stores[index % 2 === 0 ? 0 : 1].withLock("lock", hold),
    );
    await Promise.all(turns);
  },

  "holds two locks at one time": async ({ open }) => {
    const [store, other] = [await open(), await open()];
    const inner = () => other.withLock("other", async () => "both");
    assert.equal(await store.withLock("lock", inner), "both");
  },

  "is changed while a lock is held: the lock of update is another one": async ({ open }) => {
    const store = await open();
    const update = () => store.update((current) => ({ ...current, label: "changed" }));
    assert.equal((await store.withLock("lock", update)).label, "changed");
  },

  "ends the waiting for a lock with cancelled when the caller's signal is aborted": async ({
    open,
  }) => {
    const store = await open();
    const abort = new AbortController();
    let ran = false;
    const run = async (): Promise<void> => {
      ran = true;
    };
    await store.withLock("lock", async () => {
      const waiting = store.withLock("lock", run, { signal: abort.signal });
      abort.abort(new Error("the caller has left"));
      await assert.rejects(waiting, (error) => StoreError.is(error) && error.code === "cancelled");
    });
    assert.equal(await store.withLock("lock", async () => "free"), "free");
    assert.equal(ran, false, "it ran although its caller had left");
  },
};
