import { FakeClock } from "@countersign/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import { FirstLookups } from "./first-lookups.js";
import { type LookupLimitOptions, resolveLookupLimits } from "./lookup-limits.js";
import { TooManyLookups } from "./too-many-lookups.js";

/** Lookups that stay open until a test answers them, and the names in the order in which they were asked for. */
function setUp(options: LookupLimitOptions = {}) {
  const clock = new FakeClock();
  const lookups = new FirstLookups(resolveLookupLimits(options), clock.now);
  const asked: string[] = [];
  const answers = new Map<string, (found: string | undefined) => void>();
  function run(name: string, source: string | undefined, signal?: AbortSignal) {
    const ask = () => {
      asked.push(name);
      return new Promise<string | undefined>((resolve) => answers.set(name, resolve));
    };
    const result = lookups.run({ id: name, source, signal, ask });
    // What a test does not look at is no unhandled rejection.
    result.catch(() => {});
    return result;
  }
  /** Answers the lookups that run, and the ones that run after them, in their order. */
  async function answerAll(found: string | undefined): Promise<void> {
    await settle();
    for (let index = 0; index < asked.length; index += 1) {
      answers.get(asked[index] ?? "")?.(found);
      await settle();
    }
  }
  return { clock, lookups, asked, answers, run, answerAll };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

async function limitOf(result: Promise<unknown>, code: "rate_limited" | "server_error") {
  const error = await expectFailure(() => result, code);
  return TooManyLookups.is(error) ? error.limit : undefined;
}

describe("first lookups", () => {
  test.each([{ maxRunning: 0 }, { maxWaiting: 1.5 }, { unknownPerMinute: Number.NaN }])(
    "refuse the limits %j",
    async (limits) => {
      await expectFailure(() => resolveLookupLimits(limits), "config_invalid");
    },
  );

  test("are refused to a source whose share of waiting places is taken, and to no other", async () => {
    const { run, asked } = setUp({ maxRunning: 2, maxWaiting: 4 });
    for (let index = 0; index < 3; index += 1) void run(`junk-${index}`, "a");
    expect(await limitOf(run("junk-3", "a"), "rate_limited")).toBe("lookups_by_source");
    void run("honest", "b");
    await settle();
    expect(asked).toEqual(["junk-0", "honest"]);
  });

  test("take the waiting place of the source with the most when all are taken", async () => {
    const { run, asked, answerAll } = setUp({ maxRunning: 2, maxWaiting: 4 });
    void run("a-0", "a");
    void run("a-1", "a");
    const newest = run("a-2", "a");
    for (let index = 0; index < 3; index += 1) void run(`b-${index}`, "b");
    void run("c-0", "c");
    expect(await limitOf(newest, "server_error")).toBe("lookups");
    await answerAll("found");
    expect(asked.toSorted()).toEqual(["a-0", "a-1", "b-0", "b-1", "b-2", "c-0"]);
  });

  test("are refused when all places are taken and no source has more than one beyond the newcomer", async () => {
    const { run } = setUp({ maxRunning: 1, maxWaiting: 2 });
    void run("a-0", "a");
    void run("a-1", "a");
    void run("b-0", "b");
    expect(await limitOf(run("c-0", "c"), "server_error")).toBe("lookups");
  });

  test("run one more of a flood, at most, before one of another source (G-G13)", async () => {
    const { run, asked, answerAll } = setUp({ maxRunning: 4, maxWaiting: 1_000 });
    for (let index = 0; index < 400; index += 1) void run(`junk-${index}`, "a");
    await settle();
    expect(asked).toHaveLength(2);
    for (const name of ["b", "c", "d", "e"]) void run(name, name);
    await answerAll("found");
    // Two places each: d and e wait for their turn, with the flood between them at most once.
    expect(asked.indexOf("b")).toBe(2);
    expect(asked.indexOf("c")).toBe(3);
    expect(asked.indexOf("d")).toBeLessThanOrEqual(5);
    expect(asked.indexOf("e")).toBeLessThanOrEqual(7);
    expect(asked).toHaveLength(404);
  });

  test("keep running, and their place, when a client hangs up (G-G13)", async () => {
    const { run, asked, answers } = setUp({ maxRunning: 2, maxWaiting: 100 });
    for (let index = 0; index < 50; index += 1) {
      const gone = new AbortController();
      const result = run(`junk-${index}`, "a", gone.signal);
      await settle();
      gone.abort();
      await expectFailure(() => result, "cancelled");
    }
    expect(asked).toEqual(["junk-0"]);
    // And those that hung up while they waited left their places.
    answers.get("junk-0")?.(undefined);
    await settle();
    void run("junk-50", "a");
    await settle();
    expect(asked).toEqual(["junk-0", "junk-50"]);
  });

  test("are refused to a source that named too many ids that do not exist, until a part of a minute is over", async () => {
    const { run, asked, answerAll, clock } = setUp({ unknownPerMinute: 6 });
    for (let index = 0; index < 100; index += 1) void run(`junk-${index}`, "a");
    await answerAll(undefined);
    // Those that ran when the last one was counted are beyond it.
    expect(asked.length).toBeGreaterThanOrEqual(6);
    expect(asked.length).toBeLessThan(6 + 4);
    expect(await limitOf(run("junk", "a"), "rate_limited")).toBe("unknown_by_source");
    void run("of another source", "b");
    await settle();
    expect(asked.at(-1)).toBe("of another source");
    clock.advance(10_000);
    void run("later", "a");
    await settle();
    expect(asked.at(-1)).toBe("later");
  });

  test("let everything go that waits under an id when something is proven under it", async () => {
    const { run, asked, answers, lookups } = setUp({ maxRunning: 2, maxWaiting: 100 });
    void run("new", "a");
    void run("junk", "a");
    for (let index = 0; index < 3; index += 1) void run("new", "a");
    await settle();
    expect(asked).toEqual(["new"]);
    lookups.prove("new", "acct-1");
    await settle();
    expect(asked).toEqual(["new", "new", "new", "new"]);
    // They had no place that they could give back: the share is still one.
    answers.get("new")?.("found");
    await settle();
    void run("more junk", "a");
    await settle();
    expect(asked).not.toContain("more junk");
  });

  test("give their place back after 30 s when the directory never answers, once, and end the call", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const { run, asked, answers, lookups } = setUp({ maxRunning: 2, maxWaiting: 100 });
    const signals: AbortSignal[] = [];
    let answer = (_: string | undefined): void => {};
    const ask = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<string | undefined>((resolve) => {
        answer = resolve;
      });
    };
    const stuck = lookups.run({ id: "stuck", source: "a", ask });
    await settle();
    for (const name of ["second", "third"]) void run(name, "a");
    vi.advanceTimersByTime(29_999);
    await settle();
    expect([asked, signals[0]?.aborted]).toEqual([[], false]);
    vi.advanceTimersByTime(1);
    await settle();
    expect([asked, signals[0]?.aborted]).toEqual([["second"], true]);
    // The answer that comes after all gives no second place back.
    answer("late");
    expect(await stuck).toBe("late");
    await settle();
    expect(asked).toEqual(["second"]);
    answers.get("second")?.("found");
    await settle();
    expect(asked).toEqual(["second", "third"]);
    expect(vi.getTimerCount()).toBe(1);
  });

  test("of ids that exist are never too many", async () => {
    const { run, asked, answerAll } = setUp({ unknownPerMinute: 1 });
    for (let index = 0; index < 20; index += 1) void run(`agent-${index}`, "a");
    await answerAll("found");
    expect(asked).toHaveLength(20);
  });
});
