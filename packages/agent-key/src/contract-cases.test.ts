import { expect, onTestFinished, test, vi } from "vitest";
import { contractCases } from "./contract-cases.js";

function place(log: string[]) {
  const name = `place ${log.filter((line) => line.startsWith("start")).length + 1}`;
  log.push(`start ${name}`);
  return { name, open: () => name, close: () => void log.push(`close ${name}`) };
}

test("a case that fails rejects with what its rule threw, and its place is closed", async () => {
  const log: string[] = [];
  const failure = new Error("broken");
  const rules = {
    "is whole": async () => {
      throw failure;
    },
  };
  const [only] = contractCases(rules, () => place(log));
  await expect(only?.run()).rejects.toBe(failure);
  expect(log).toEqual(["start place 1", "close place 1"]);
});

test("a case that fails rejects with what its rule threw, though its place cannot be closed either", async () => {
  const failure = new Error("broken");
  const fail = async () => {
    throw failure;
  };
  const close = () => {
    throw new Error("still in use");
  };
  const [only] = contractCases({ fail }, () => ({ close }));
  await expect(only?.run()).rejects.toBe(failure);
});

test("a place that cannot be closed fails a case that holds", async () => {
  const close = async () => {
    throw new Error("still in use");
  };
  const [only] = contractCases({ hold: async () => {} }, () => ({ close }));
  await expect(only?.run()).rejects.toThrow("still in use");
});

test("a case that never settles rejects after 30 seconds, and its place is closed", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const log: string[] = [];
  const [only] = contractCases({ hang: () => new Promise<never>(() => {}) }, () => place(log));
  const run = expect(only?.run()).rejects.toThrow("not settled within 30 s: hang");
  await vi.advanceTimersByTimeAsync(30_000);
  await run;
  expect(log).toEqual(["start place 1", "close place 1"]);
});

test("a place that never settles when it is closed rejects after 30 seconds", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const close = () => new Promise<never>(() => {});
  const [only] = contractCases({ hold: async () => {} }, () => ({ close }));
  const run = expect(only?.run()).rejects.toThrow("not settled within 30 s: hold");
  await vi.advanceTimersByTimeAsync(30_000);
  await run;
});

test("each run of a case has a place of its own, and none is made before", async () => {
  const log: string[] = [];
  const note = async ({ name }: { name: string }) => void log.push(name);
  const cases = contractCases({ one: note, two: note }, async () => place(log));
  expect(cases.map(({ name }) => name)).toEqual(["one", "two"]);
  expect(log).toEqual([]);
  for (const { run } of cases) await run();
  await cases[0]?.run();
  const each = (name: string) => [`start ${name}`, name, `close ${name}`];
  expect(log).toEqual(["place 1", "place 2", "place 3"].flatMap(each));
});
