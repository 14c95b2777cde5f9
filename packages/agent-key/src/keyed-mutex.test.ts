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
