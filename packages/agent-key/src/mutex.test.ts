import { expect, test } from "vitest";
import { Mutex } from "./mutex.js";

test("runs one at a time, in the order of asking, and goes on after a failure", async () => {
  const mutex = new Mutex();
  const log: string[] = [];
  const run = (name: string) =>
    mutex.run(async () => {
      log.push(`${name} in`);
      await Promise.resolve();
      log.push(`${name} out`);
      if (name === "b") throw new Error("b failed");
    });
  const results = await Promise.allSettled(["a", "b", "c"].map(run));
  expect(log).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(mutex.idle).toBe(true);
});

test("lets a caller stop waiting, without running and without letting the next one in too early", async () => {
  const mutex = new Mutex();
  const log: string[] = [];
  let release = () => {};
  const first = mutex.run(async () => {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    log.push("first");
  });
  const given = new AbortController();
  const second = mutex.run(async () => log.push("second"), given.signal);
  const third = mutex.run(async () => log.push("third"));
  given.abort(new Error("given up"));
  await expect(second).rejects.toThrow("given up");
  expect(log).toEqual([]);
  release();
  await Promise.all([first, third]);
  expect(log).toEqual(["first", "third"]);
});
