import { expect, test } from "vitest";
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
