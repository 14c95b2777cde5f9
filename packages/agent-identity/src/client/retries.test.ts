import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectRejection } from "../../test/support/expect-rejection.js";
import { AuthorityError } from "../authority-error.js";
import { type RetryOptions, withRetries } from "./retries.js";

const passing = (retryAfterSeconds?: number) =>
  new AuthorityError("server_error", "x", { status: 503, retryable: true, retryAfterSeconds });

/** Runs an attempt that always fails and gives the pauses that were made. */
async function pausesOf(options: Partial<RetryOptions>, error = passing()): Promise<number[]> {
  const pauses: number[] = [];
  const run = withRetries(() => Promise.reject(error), {
    what: "a call",
    maxAttempts: 3,
    deadlineMs: 30_000,
    signal: undefined,
    now: () => 0,
    random: Math.random,
    wait: async (delayMs) => void pauses.push(delayMs),
    onRetry: undefined,
    ...options,
  });
  await expectRejection(run, AuthorityError, error.code);
  return pauses;
}

describe("pauses between attempts", () => {
  test("grow, and are random within their bounds: once to twice 250 ms, then 500 ms", async () => {
    const below1 = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    await fc.assert(
      fc.asyncProperty(below1, below1, async (...randoms) => {
        const [first = 0, second = 0, ...more] = await pausesOf({
          random: () => randoms.shift() ?? 0,
        });
        expect(more).toEqual([]);
        expect(first).toBeGreaterThanOrEqual(250);
        expect(first).toBeLessThanOrEqual(500);
        expect(second).toBeGreaterThanOrEqual(500);
        expect(second).toBeLessThanOrEqual(1000);
      }),
    );
  });

  test("follow the randomness that they are given", async () => {
    expect(await pausesOf({ random: () => 0 })).toEqual([250, 500]);
    expect(await pausesOf({ random: () => 0.5 })).toEqual([375, 750]);
  });

  test("are never shorter than Retry-After says, and never longer than need be", async () => {
    const random = () => 0.5;
    expect(await pausesOf({ random }, passing(0))).toEqual([375, 750]);
    expect(await pausesOf({ random }, passing(2))).toEqual([2000, 2000]);
  });

  test("never go past the deadline: the error comes at once instead, with Retry-After in it", async () => {
    expect(await pausesOf({ deadlineMs: 250, random: () => 0 })).toEqual([]);
    expect(await pausesOf({ deadlineMs: 251, random: () => 0 })).toEqual([250]);
    expect(await pausesOf({}, passing(30))).toEqual([]);
  });
});

test.each([
  ["429", new AuthorityError("rate_limited", "x", { status: 429, retryable: true }), 2],
  ["500", new AuthorityError("server_error", "x", { status: 500, retryable: true }), 2],
  ["503", passing(), 2],
  ["a broken connection", new AuthorityError("unreachable", "x", { retryable: true }), 2],
  ["an untrusted certificate", new AuthorityError("unreachable", "x"), 0],
  [
    "403 with Retry-After",
    new AuthorityError("forbidden", "x", { status: 403, retryable: true }),
    0,
  ],
  ["401", new AuthorityError("unauthenticated", "x", { status: 401 }), 0],
  ["400", new AuthorityError("invalid_request", "x", { status: 400 }), 0],
  ["an answer that does not parse", new AuthorityError("bad_response", "x", { status: 200 }), 0],
])("%s is tried again as protocol.md §8 says", async (_, error, pauses) => {
  expect(await pausesOf({}, error)).toHaveLength(pauses);
});

test("an error that is none of the authority's is thrown as it is, and not tried again", async () => {
  let count = 0;
  const failing = withRetries(
    () => {
      count += 1;
      return Promise.reject(new TypeError("a fault of this program"));
    },
    {
      what: "a call",
      maxAttempts: 3,
      deadlineMs: 1000,
      signal: undefined,
      now: Date.now,
      random: Math.random,
      wait: async () => {},
      onRetry: undefined,
    },
  );
  await expect(failing).rejects.toThrow(TypeError);
  expect(count).toBe(1);
});
