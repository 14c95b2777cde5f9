import { mkdir, readdir, readFile, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { releaseLock, takeLock } from "./lock-directory.js";
import { markOfThisProcess } from "./process-mark.js";
import { withFileLock } from "./with-file-lock.js";
import { writePrivateFile } from "./write-private-file.js";

const OTHER = "0".repeat(32);

test("gives up after its time when another process holds the lock, without running", async () => {
  const lock = join(await openDirectory(), "lock");
  await takeLock(lock, OTHER);
  let isRun = false;
  const waiting = withFileLock(
    lock,
    async () => {
      isRun = true;
    },
    { waitMs: 20 },
  );
  const error = await expectRejection(waiting, StoreError, "store_locked");
  expect([error.retryable, isRun]).toEqual([true, false]);
});

test("refuses a time to wait that is not valid, which would never be over", async () => {
  const lock = join(await openDirectory(), "lock");
  await takeLock(lock, OTHER);
  for (const waitMs of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    // What waits all the same ends at this signal, with another code.
    const signal = AbortSignal.abort();
    const locking = withFileLock(lock, async () => {}, { waitMs, signal });
    const error = await expectRejection(locking, StoreError, "config_invalid");
    expect(error.message).toContain("waitMs");
  }
});

test("gives up when the caller ends the call, also while another call holds the lock", async () => {
  const lock = join(await openDirectory(), "lock");
  const abort = new AbortController();
  await withFileLock(lock, async () => {
    const waiting = withFileLock(lock, async () => {}, { signal: abort.signal });
    abort.abort();
    await expectRejection(waiting, StoreError, "cancelled");
  });
  await takeLock(lock, OTHER);
  const other = new AbortController();
  const waiting = withFileLock(lock, async () => {}, { signal: other.signal });
  other.abort();
  await expectRejection(waiting, StoreError, "cancelled");
});

test("is denied where there is no directory, or none that can hold a lock", async () => {
  const root = await openDirectory();
  await writeFile(join(root, "file"), "");
  for (const path of [join(root, "a", "lock"), join(root, "file", "lock")]) {
    const locking = withFileLock(path, async () => {});
    await expectRejection(locking, StoreError, "store_denied");
  }
});

test("is denied where something stands that is no lock, and touches nothing of it", async () => {
  const lock = join(await openDirectory(), "lock");
  await mkdir(lock);
  await writeFile(join(lock, "note"), "");
  const locking = withFileLock(lock, async () => {});
  await expectRejection(locking, StoreError, "store_denied");
  expect(await readdir(lock)).toEqual(["note"]);
});

test("lets one run at a time, in the order they came, and leaves nothing behind", async () => {
  const root = await openDirectory();
  const lock = join(root, "lock");
  const order: string[] = [];
  const runs = [1, 2, 3, 4].map((n) =>
    withFileLock(lock, async () => {
      order.push(`${n} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${n} ends`);
    }),
  );
  await Promise.all(runs);
  expect(order).toEqual([1, 2, 3, 4].flatMap((n) => [`${n} begins`, `${n} ends`]));
  expect(await readdir(root)).toEqual([]);
});

test("is released when the run fails", async () => {
  const lock = join(await openDirectory(), "lock");
  const failing = withFileLock(lock, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(await withFileLock(lock, async () => "again", { waitMs: 0 })).toBe("again");
});

test.runIf(process.platform === "linux")(
  "finds the left-overs of killed processes when it is taken over from one, and does not look for them before",
  async () => {
    const root = await openDirectory();
    const [lock, leftOver] = [join(root, "lock"), `other.lock.${"1".repeat(32)}.new`];
    await mkdir(join(root, leftOver));
    const later = Date.now() + 61_000;
    const clock = vi.spyOn(Date, "now").mockReturnValue(later);
    onTestFinished(() => clock.mockRestore());
    await withFileLock(lock, async () => {});
    expect(await readdir(root)).toEqual([leftOver]);
    // The mark of a process that had this id before.
    const [boot, namespace, id] = (await markOfThisProcess()).split(" ");
    await takeLock(lock, OTHER, `${boot} ${namespace} ${id} 1`);
    await withFileLock(lock, async () => {});
    expect(await readdir(root)).not.toContain(leftOver);
  },
);

test("is not taken from a holder by its age, whatever the clocks say", async () => {
  const lock = join(await openDirectory(), "lock");
  await takeLock(lock, OTHER);
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(join(lock, OTHER), longAgo, longAgo);
  await utimes(lock, longAgo, longAgo);
  const locking = withFileLock(lock, async () => {}, { waitMs: 50 });
  await expectRejection(locking, StoreError, "store_locked");
  await releaseLock(lock, OTHER);
  expect(await withFileLock(lock, async () => "mine", { waitMs: 0 })).toBe("mine");
});

test("is kept, and its holder not interrupted, while the holder gives signs of life", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const lock = join(await openDirectory(), "lock");
  await withFileLock(lock, async (held) => {
    const [word = expect.fail("no holder")] = await readdir(lock);
    // What the first sign led to is seen when the second one was given.
    for (let signs = 0; signs < 2; signs += 1) {
      await utimes(join(lock, word), 1, 1);
      vi.advanceTimersByTime(750);
      await expect.poll(async () => (await stat(join(lock, word))).mtimeMs).toBeGreaterThan(1000);
    }
    expect(held.signal.aborted).toBe(false);
    await held.assertHeld();
  });
});

describe("a holder whose lock was taken away", () => {
  test("may not go on, and leaves the next one's lock alone", async () => {
    const root = await openDirectory();
    const lock = join(root, "lock");
    await withFileLock(lock, async (held) => {
      await held.assertHeld();
      await rename(lock, `${lock}-elsewhere`);
      await takeLock(lock, OTHER);
      await expectRejection(held.assertHeld(), StoreError, "store_locked");
    });
    expect(await readdir(lock)).toEqual([OTHER]);
  });

  test("replaces no file, also when it finds that out only at the rename (G-H7)", async () => {
    const root = await openDirectory();
    const [lock, file] = [join(root, "lock"), join(root, "file")];
    await writePrivateFile(file, "old");
    await withFileLock(lock, async (held) => {
      const beforeRename = async () => {
        await rename(lock, `${lock}-elsewhere`);
        await takeLock(lock, OTHER);
      };
      const writing = writePrivateFile(file, "new", { lock: held, beforeRename });
      await expectRejection(writing, StoreError, "store_locked");
    });
    expect(await readFile(file, "utf8")).toBe("old");
  });

  test("is told by its signal while it runs", async () => {
    const lock = join(await openDirectory(), "lock");
    await withFileLock(lock, async (held) => {
      await rename(lock, `${lock}-elsewhere`);
      await expect.poll(() => held.signal.aborted, { timeout: 20_000 }).toBe(true);
      expect(held.signal.reason).toMatchObject({ code: "store_locked", retryable: true });
    });
  });
});
