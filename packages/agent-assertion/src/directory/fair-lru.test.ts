import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { FairLru } from "./fair-lru.js";

describe("FairLru", () => {
  test("knows nothing that was not put in or that was taken out", () => {
    const kept = new FairLru<number>(2);
    expect(kept.get("a")).toBeUndefined();
    kept.set("a", "o", 1);
    kept.delete("a");
    kept.delete("a");
    expect(kept.get("a")).toBeUndefined();
    expect(kept.peek("a")).toBeUndefined();
  });

  test("lets go of what one owner used longest ago", () => {
    const kept = new FairLru<number>(2);
    kept.set("a", "o", 1);
    kept.set("b", "o", 2);
    kept.get("a");
    kept.peek("b");
    kept.set("c", "o", 3);
    expect([kept.peek("a"), kept.peek("b"), kept.peek("c")]).toEqual([1, undefined, 3]);
  });

  test("lets go of the owner's that was used longest ago among owners of equally many", () => {
    const kept = new FairLru<number>(2);
    kept.set("a", "o", 1);
    kept.set("b", "p", 2);
    kept.get("a");
    kept.set("c", "q", 3);
    expect([kept.peek("a"), kept.peek("b"), kept.peek("c")]).toEqual([1, undefined, 3]);
  });

  test("has the owner of the most give way, however seldom the others are used", () => {
    const kept = new FairLru<number>(10);
    for (let i = 0; i < 4; i += 1) kept.set(`small-${i}`, "small", i);
    for (let i = 0; i < 1000; i += 1) kept.set(`large-${i}`, "large", i);
    for (let i = 0; i < 4; i += 1) expect(kept.peek(`small-${i}`)).toBe(i);
    for (let i = 994; i < 1000; i += 1) expect(kept.peek(`large-${i}`)).toBe(i);
  });

  test("leaves all of it to one owner where there is no other", () => {
    const kept = new FairLru<number>(10);
    for (let i = 0; i < 20; i += 1) kept.set(`e-${i}`, "o", i);
    for (let i = 10; i < 20; i += 1) expect(kept.peek(`e-${i}`)).toBe(i);
  });

  test("takes a new entry when it is full without walking over a Map or a Set", () => {
    const kept = new FairLru<number>(100);
    for (let i = 0; i < 100; i += 1) kept.set(`e-${i}`, `o-${i % 60}`, i);
    const walks = [Map.prototype, Set.prototype].flatMap((kind) => [
      vi.spyOn(kind as Map<unknown, unknown>, "keys"),
      vi.spyOn(kind as Map<unknown, unknown>, "values"),
      vi.spyOn(kind as Map<unknown, unknown>, Symbol.iterator),
    ]);
    for (let i = 100; i < 1000; i += 1) kept.set(`e-${i}`, `o-${i % 60}`, i);
    const counts = walks.map((walk) => walk.mock.calls.length);
    vi.restoreAllMocks();
    expect(counts).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("takes an entry along to another owner", () => {
    const kept = new FairLru<number>(3);
    kept.set("a", "o", 1);
    kept.set("b", "o", 2);
    kept.set("a", "p", 3);
    kept.set("c", "p", 4);
    kept.set("d", "q", 5);
    expect(["a", "b", "c", "d"].map((name) => kept.peek(name))).toEqual([undefined, 2, 4, 5]);
  });

  test("behaves like a list that is searched on every call", () => {
    const name = fc.integer({ min: 0, max: 12 }).map(String);
    const owner = fc.constantFrom("o", "p", "q");
    const step = fc.oneof(
      fc.record({ kind: fc.constant("set" as const), name, owner }),
      fc.record({ kind: fc.constant("get" as const), name }),
      fc.record({ kind: fc.constant("delete" as const), name }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const kept = new FairLru<string>(5);
        // Oldest use first.
        let list: { name: string; owner: string }[] = [];
        for (const s of steps) {
          const found = list.find((entry) => entry.name === s.name);
          const rest = list.filter((entry) => entry !== found);
          if (s.kind === "set") {
            kept.set(s.name, s.owner, s.owner);
            list = [...rest, { name: s.name, owner: s.owner }];
          } else if (s.kind === "get") {
            expect(kept.get(s.name)).toBe(found?.owner);
            if (found !== undefined) list = [...rest, found];
          } else {
            kept.delete(s.name);
            list = rest;
          }
          if (list.length > 5) {
            const count = (o: string) => list.filter((entry) => entry.owner === o).length;
            const most = Math.max(...list.map((entry) => count(entry.owner)));
            const lost = [...Array(13).keys()]
              .map(String)
              .filter((n) => kept.peek(n) === undefined && list.some((entry) => entry.name === n));
            expect(lost).toHaveLength(1);
            const victim = list.find((entry) => entry.name === lost[0]) ?? expect.fail();
            expect(count(victim.owner)).toBe(most);
            expect(list.find((entry) => entry.owner === victim.owner)).toBe(victim);
            list = list.filter((entry) => entry !== victim);
          }
          for (const entry of list) expect(kept.peek(entry.name)).toBe(entry.owner);
        }
      }),
    );
  });
});
