import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { SharedFlights } from "./shared-flights.js";

const open = () => new SharedFlights<string>((cause) => new Error("left", { cause }));

function never(signal: AbortSignal): Promise<string> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

test("starts nothing for a caller that has left already", async () => {
  const abort = AbortSignal.abort();
  await expect(open().join("a", () => expect.fail("started"), abort)).rejects.toThrow("left");
});

test("callers of one key share one run, callers of another do not", async () => {
  const flights = open();
  let starts = 0;
  const start = async () => {
    starts += 1;
    return `run ${starts}`;
  };
  const joined = ["a", "a", "b", "a"].map((key) => flights.join(key, start, undefined));
  expect(await Promise.all(joined)).toEqual(["run 1", "run 1", "run 2", "run 1"]);
  expect(await flights.join("a", start, undefined)).toBe("run 3");
});

test("a failure goes to all callers that share the run, and to no later caller", async () => {
  const flights = open();
  const fail = () => Promise.reject(new Error("no"));
  const joined = [1, 2].map(() => flights.join("a", fail, undefined));
  for (const one of await Promise.allSettled(joined)) expect(one.status).toBe("rejected");
  expect(await flights.join("a", async () => "yes", undefined)).toBe("yes");
});

test("goes on while anybody waits, and is aborted when the last one leaves", async () => {
  const flights = open();
  const [first, second] = [new AbortController(), new AbortController()];
  const seen: AbortSignal[] = [];
  const start = (signal: AbortSignal) => {
    seen.push(signal);
    return never(signal);
  };
  const one = expect(flights.join("a", start, first.signal)).rejects.toThrow("left");
  const other = expect(flights.join("a", start, second.signal)).rejects.toThrow("left");
  first.abort();
  await one;
  expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
  second.abort();
  await other;
  expect(seen.map(({ aborted }) => aborted)).toEqual([true]);
  expect(await flights.join("a", async () => "again", undefined)).toBe("again");
});

test("closing aborts what runs and waits for its end", async () => {
  const flights = open();
  const joined = expect(flights.join("a", never, undefined)).rejects.toThrow("left");
  await flights.close();
  await joined;
});

test("closing waits also for a run that does not heed its signal", async () => {
  const flights = open();
  let end = (): void => {};
  const stubborn = new Promise<void>((resolve) => {
    end = resolve;
  });
  const order: string[] = [];
  const start = () => stubborn.then(() => order.push("ended")).then(() => "late");
  const joined = flights.join("a", start, undefined);
  const closing = flights.close().then(() => order.push("closed"));
  await setImmediate();
  end();
  await Promise.all([joined, closing]);
  expect(order).toEqual(["ended", "closed"]);
});
