import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LinkedMap } from "./linked-map.js";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("LinkedMap", () => {
  test("has the order in which entries were last set", () => {
    const map = new LinkedMap<string, number>();
    map.set("a", 1).set("b", 2).set("c", 3).set("a", 4);
    expect(map.get("b")).toBe(2);
    expect([...map]).toEqual([
      ["b", 2],
      ["c", 3],
      ["a", 4],
    ]);
  });

  test("lets the entry that was set longest ago go when there are too many", () => {
    const map = new LinkedMap<string, number>(2);
    map.set("a", 1).set("b", 2).set("a", 3).set("c", 4);
    expect([...map]).toEqual([
      ["a", 3],
      ["c", 4],
    ]);
    expect(map.get("b")).toBeUndefined();
  });

  test("does what a Map does whose entries are removed before they are set again", () => {
    const key = fc.integer({ min: 0, max: 6 });
    const step = fc.oneof(
      { weight: 9, arbitrary: fc.record({ kind: fc.constant("set" as const), key }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), key }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.constantFrom(1, 4, 9), (steps, max) => {
        const map = new LinkedMap<number, number>(max);
        const plain = new Map<number, number>();
        for (const [at, { kind, key }] of steps.entries()) {
          if (kind === "clear") {
            map.clear();
            plain.clear();
          } else {
            const was = plain.delete(key);
            if (kind === "delete") expect(map.delete(key)).toBe(was);
            else {
              map.set(key, at);
              plain.set(key, at);
            }
          }
          if (plain.size > max) plain.delete([...plain.keys()][0] ?? -1);
          expect([...map]).toEqual([...plain]);
          expect(map.size).toBe(plain.size);
          expect(map.get(key)).toBe(plain.get(key));
        }
      }),
    );
  });

  test("takes a new entry into a full map without walking over a Map", () => {
    const map = new LinkedMap<number, number>(100);
    for (let i = 0; i < 100; i += 1) map.set(i, i);
    const walks = (["keys", "values", "entries", "forEach"] as const).map((name) =>
      vi.spyOn(Map.prototype, name),
    );
    const iterator = vi.spyOn(Map.prototype, Symbol.iterator);
    for (let i = 100; i < 1000; i += 1) map.set(i, i);
    const first = map[Symbol.iterator]().next().value;
    for (const walk of [...walks, iterator]) expect(walk).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    expect(first).toEqual([900, 900]);
    expect(map.size).toBe(100);
  });
});
