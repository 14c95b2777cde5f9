import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuthorityError } from "../authority-error.js";
import { type RetryOptions, withRetries } from "./retries.js";

const passing = (retryAfterSeconds?: number) =>
  new AuthorityError("server_error", "x", { status: 503, retryable: true, retryAfterSeconds });

const broken = (errno: string) =>
  new AuthorityError("unreachable", "x", {
    retryable: true,
    cause: Object.assign(new Error("x"), { code: errno }),
  });

/** Runs attempts that fail with these errors, the last one again and again, by a clock that pauses alone move. Gives the pauses. */
async function pausesOf(
  { random = Math.random, ...options }: Partial<RetryOptions> & { readonly random?: () => number },
  ...errors: AuthorityError[]
): Promise<number[]> {
  const pauses: number[] = [];
  let passedMs = 0;
  let last = passing();
  const run = withRetries(
    () => {
      last = errors.shift() ?? last;
      return Promise.reject(last);
    },
    {
      what: "a call",
      attempts: 3,
      laterPauseMs: undefined,
      deadlineMs: 30_000,
      signal: undefined,
      now: () => passedMs,
      onRetry: undefined,
      ...options,
      pacing: {
        random,
        wait: async (delayMs) => {
          pauses.push(delayMs);
          passedMs += delayMs;
        },
      },
    },
  );
  // The error of the last attempt, not one about the deadline.
  expect(await run.catch((error: unknown) => error)).toBe(last);
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

describe("an authority that starts again: 503, or a connection that is refused or ends before an answer,", () => {
  const restarts: [string, AuthorityError][] = [
    ["503 without Retry-After", passing()],
    ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "EAI_AGAIN"].map(
      (errno): [string, AuthorityError] => [errno, broken(errno)],
    ),
  ];

  test.each(restarts)(
    "%s is asked again until no pause fits into the deadline",
    async (_, error) => {
      const pauses = await pausesOf({ attempts: undefined, random: () => 0 }, error);
      const first = [250, 500, 1000];
      // 1,750 ms, then each 2 s: the next attempt would come at 31,750.
      expect(pauses).toEqual([...first, ...Array.from({ length: 14 }, () => 2000)]);
    },
  );

  test.each(restarts)("%s is asked as often as attempts says", async (_, error) => {
    expect(await pausesOf({ attempts: 1 }, error)).toEqual([]);
    expect(await pausesOf({ attempts: 5 }, error)).toHaveLength(4);
  });

  test("is asked again after Retry-After, as long as that fits into the deadline", async () => {
    expect(await pausesOf({ attempts: undefined }, passing(10))).toEqual([10_000, 10_000]);
  });

  test("and fails otherwise after that has 3 attempts for the other failures", async () => {
    const refused = Array.from({ length: 4 }, () => broken("ECONNREFUSED"));
    const failed = new AuthorityError("server_error", "x", { status: 500, retryable: true });
    expect(await pausesOf({ attempts: undefined }, ...refused, failed)).toHaveLength(6);
  });
});

test.each([
  ["429", new AuthorityError("rate_limited", "x", { status: 429, retryable: true })],
  ["500", new AuthorityError("server_error", "x", { status: 500, retryable: true })],
  ["502", new AuthorityError("server_error", "x", { status: 502, retryable: true })],
  ["a time-out", new AuthorityError("timeout", "x", { retryable: true })],
  ["a name that does not exist", broken("ENOTFOUND")],
  ["a network without a route", broken("EHOSTUNREACH")],
  ["a connection that takes too long", broken("UND_ERR_CONNECT_TIMEOUT")],
])("%s is asked at most 3 times, whatever time is left", async (_, error) => {
  expect(await pausesOf({ attempts: undefined }, error)).toHaveLength(2);
  expect(await pausesOf({ attempts: 2 }, error)).toHaveLength(1);
});

describe("429 with Retry-After", () => {
  const limited = (retryAfterSeconds: number) =>
    new AuthorityError("rate_limited", "x", { status: 429, retryable: true, retryAfterSeconds });

  test("is asked again as long as the time that it names fits into the deadline", async () => {
    const options = { attempts: undefined, deadlineMs: 60_000, random: () => 0 };
    expect(await pausesOf(options, limited(14))).toEqual([14_000, 14_000, 14_000, 14_000]);
    expect(await pausesOf(options, limited(60))).toEqual([]);
    expect(await pausesOf({ ...options, attempts: 2 }, limited(14))).toHaveLength(1);
  });

  test("is asked again spread over 5 s, so that clients of one address do not come at one instant", async () => {
    const options = { attempts: 2, deadlineMs: 60_000 };
    expect(await pausesOf({ ...options, random: () => 0 }, limited(20))).toEqual([20_000]);
    expect(await pausesOf({ ...options, random: () => 0.5 }, limited(20))).toEqual([22_500]);
  });

  test("is spread over no more time than the deadline leaves, and than was asked for", async () => {
    const random = () => 0.999;
    expect(await pausesOf({ attempts: 2, deadlineMs: 22_000, random }, limited(20))).toEqual([
      20_999,
    ]);
    expect(await pausesOf({ attempts: 2, random }, limited(1))).toEqual([1999]);
  });
});

test("a later pause is at least as long as it must be, the first is not", async () => {
  const options = { attempts: undefined, deadlineMs: 8000, laterPauseMs: 5000, random: () => 0 };
  expect(await pausesOf(options)).toEqual([250, 5000]);
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
])("%s is tried again as protocol.md §10 says", async (_, error, pauses) => {
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
      attempts: 3,
      laterPauseMs: undefined,
      deadlineMs: 1000,
      signal: undefined,
      now: Date.now,
      pacing: { random: Math.random, wait: async () => {} },
      onRetry: undefined,
    },
  );
  await expect(failing).rejects.toThrow(TypeError);
  expect(count).toBe(1);
});
