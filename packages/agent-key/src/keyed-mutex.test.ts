import { expect, test } from "vitest";
import { KeyedMutex } from "./keyed-mutex.js";

const left = (cause: unknown) => new Error("left", { cause });

test("a waiter that leaves does not let the next one past a task that still runs", async () => {
  const mutex = new KeyedMutex();
  const order: string[] = [];
  let end = () => {};
  const first = mutex.run(
    "a",
    () =>
      new Promise<void>((resolve) => {
        end = () => {
          order.push("first ends");
          resolve();
        };
      }),
    undefined,
    left,
  );
  const abort = new AbortController();
  const leaver = expect(
    mutex.run("a", async () => order.push("leaver"), abort.signal, left),
  ).rejects.toThrow("left");
  abort.abort();
  await leaver;
  const next = mutex.run("a", async () => order.push("next"), undefined, left);
  expect([mutex.isHeld("a"), mutex.isHeld("b")]).toEqual([true, false]);
  await mutex.run("b", async () => order.push("other key"), undefined, left);
  end();
  await Promise.all([first, next]);
  expect(order).toEqual(["other key", "first ends", "next"]);
  expect(mutex.isHeld("a")).toBe(false);
});

test("a task that ends and a waiter that leaves at the same time let no two tasks of a key run", async () => {
  const ticks = async (count: number) => {
    for (let tick = 0; tick < count; tick += 1) await undefined;
  };
  // When the task ends, when the waiter leaves and when the next one comes, in microtasks.
  for (let end = 0; end < 6; end += 1) {
    for (let leave = 0; leave < 6; leave += 1) {
      for (let come = 0; come < 24; come += 1) {
        const mutex = new KeyedMutex();
        const gate = Promise.withResolvers<void>();
        const abort = new AbortController();
        let running = 0;
        let most = 0;
        const task = (length: number) => async () => {
          running += 1;
          most = Math.max(most, running);
          await ticks(length);
          running -= 1;
        };
        const first = mutex.run("a", () => gate.promise);
        const leaver = mutex.run("a", task(1), abort.signal).catch(() => {});
        await ticks(20);
        await Promise.all([
          first,
          leaver,
          ticks(end).then(() => gate.resolve()),
          ticks(leave).then(() => abort.abort()),
          ticks(come).then(() => mutex.run("a", task(60))),
          ticks(50).then(() => mutex.run("a", task(5))),
        ]);
        expect(most, `${end} ${leave} ${come}`).toBe(1);
        expect(mutex.isHeld("a")).toBe(false);
      }
    }
  }
});
