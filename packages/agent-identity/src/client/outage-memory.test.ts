import { expectRejection, openAuthority } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AuthorityError } from "../authority-error.js";
import { AuthorityClient } from "./authority-client.js";
import { FailureMemory, OutageMemory } from "./outage-memory.js";

const TOKEN = "token-of-user-1";
const FOREVER = Number.POSITIVE_INFINITY;
const QUICK = { attempts: 1, outageMs: 5000 } as const;

/** A client whose clock only the test moves. */
async function open() {
  const authority = await openAuthority();
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: TOKEN });
  let passedMs = 0;
  const client = new AuthorityClient({ authority: authority.url, now: () => passedMs });
  return {
    authority,
    client,
    ask: (options: object = QUICK) => client.whoami(TOKEN, options),
    failed: (options: object = QUICK) =>
      expectRejection(client.whoami(TOKEN, options), AuthorityError, "server_error"),
    pass: (ms: number) => {
      passedMs += ms;
    },
  };
}

const away = (headers = {}) => ({ kind: "status", status: 503, headers }) as const;

describe("a call that wants a quick answer", () => {
  test("gets the remembered failure for the time that it names, and nothing is sent", async () => {
    const { authority, failed, pass } = await open();
    authority.fault("whoami", away(), FOREVER);
    const first = await failed();
    pass(4999);
    expect(await failed()).toBe(first);
    expect(authority.counts.whoami).toBe(1);
    pass(1);
    expect(await failed()).not.toBe(first);
    expect(authority.counts.whoami).toBe(2);
  });

  test("gets it for as long as Retry-After says, up to a minute", async () => {
    const { authority, failed, pass } = await open();
    authority.fault("whoami", away({ "retry-after": "10" }));
    authority.fault("whoami", away({ "retry-after": "3600" }), FOREVER);
    await failed();
    pass(9999);
    await failed();
    expect(authority.counts.whoami).toBe(1);
    pass(1);
    await failed();
    pass(59_999);
    await failed();
    expect(authority.counts.whoami).toBe(2);
    pass(1);
    await failed();
    expect(authority.counts.whoami).toBe(3);
  });

  test("asks once when the time is over, whatever its attempts; others get the failure until it is answered", async () => {
    const { authority, failed, ask, pass } = await open();
    authority.fault("whoami", away());
    const first = await failed();
    pass(5000);
    let answer = () => {};
    const until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    authority.fault("whoami", { kind: "hold", until });
    const probe = ask({ outageMs: 5000 });
    expect(await failed()).toBe(first);
    answer();
    expect(await probe).toMatchObject({ userId: "user-1" });
    expect(authority.counts.whoami).toBe(2);
    // The answer ended the outage.
    expect(await ask()).toMatchObject({ userId: "user-1" });
  });

  test("that asks again after a failure asks once", async () => {
    const { authority, failed, pass } = await open();
    authority.fault("whoami", away(), FOREVER);
    await failed();
    pass(5000);
    await failed({ outageMs: 5000 });
    expect(authority.counts.whoami).toBe(2);
  });

  test("is over with a refusal: the authority is there", async () => {
    const { authority, failed, ask, pass } = await open();
    authority.fault("whoami", away());
    await failed();
    pass(5000);
    authority.fault("whoami", { kind: "status", status: 403 });
    await expectRejection(ask(), AuthorityError, "forbidden");
    expect(await ask()).toMatchObject({ userId: "user-1" });
  });

  test.each([
    ["a quota that is used up", 429, "rate_limited"],
    ["a defect", 500, "server_error"],
  ])("gets its own failure again, and not another caller's: %s", async (_, status, code) => {
    const { authority, client, ask } = await open();
    authority.addHuman({ accountId: "acct-2", userId: "user-2", accessToken: "token-2" });
    authority.fault("whoami", { kind: "status", status, headers: { "retry-after": "60" } });
    const failed = () => expectRejection(ask(), AuthorityError, code as "server_error");
    expect(await failed()).toBe(await failed());
    expect(await client.whoami("token-2", QUICK)).toMatchObject({ userId: "user-2" });
    expect(authority.counts.whoami).toBe(2);
  });

  test.each([429, 500])("is over for all with an answer of status %i to one", async (status) => {
    const { authority, client, failed, ask, pass } = await open();
    authority.addHuman({ accountId: "acct-2", userId: "user-2", accessToken: "token-2" });
    authority.fault("whoami", away());
    await failed();
    pass(5000);
    authority.fault("whoami", { kind: "status", status });
    await ask().catch(() => undefined);
    expect(await client.whoami("token-2", QUICK)).toMatchObject({ userId: "user-2" });
  });

  test.each([502, 504])(
    "gets the failure of a load balancer before the authority: %i",
    async (status) => {
      const { authority, ask } = await open();
      authority.fault("whoami", { kind: "status", status }, FOREVER);
      await ask().catch(() => undefined);
      await ask().catch(() => undefined);
      expect(authority.counts.whoami).toBe(1);
    },
  );

  test("that is given up says nothing of the authority", async () => {
    const { authority, ask } = await open();
    authority.fault("whoami", { kind: "hang" });
    const abort = new AbortController();
    const given = ask({ ...QUICK, signal: abort.signal });
    await expect.poll(() => authority.counts.whoami).toBe(1);
    abort.abort();
    await expectRejection(given, AuthorityError, "cancelled");
    expect(await ask()).toMatchObject({ userId: "user-1" });
  });

  test("gives an authority half a second to be back, and twice as long after each time-out", async () => {
    let passedMs = 0;
    const memory = new OutageMemory(() => passedMs);
    const given: (number | undefined)[] = [];
    for (const code of ["unreachable", "unreachable", "timeout", "timeout", "timeout"] as const) {
      const call = memory.run(5000, (probeMs) => {
        given.push(probeMs);
        return Promise.reject(new AuthorityError(code, "x", { retryable: true }));
      });
      await expectRejection(call, AuthorityError, code);
      passedMs += 5000;
    }
    expect(given).toEqual([undefined, 500, 500, 1000, 2000]);
  });

  test.each([429, 500])(
    "asks again after its own %i in one attempt that is not cut short, so that a slow answer to it is no outage for all",
    async (status) => {
      let passedMs = 0;
      const memory = new FailureMemory(() => passedMs);
      const given: unknown[] = [];
      const fail = (key: string, code: "server_error" | "timeout", answered?: number) =>
        expectRejection(
          memory.run(5000, key, (limits) => {
            given.push(limits);
            const error = new AuthorityError(code, "x", { retryable: true, status: answered });
            return Promise.reject(error);
          }),
          AuthorityError,
          code,
        );
      await fail("own", "server_error", status);
      passedMs += 60_000;
      await fail("own", "server_error", status);
      passedMs += 60_000;
      await memory.run(5000, "other", async (limits) => given.push(limits));
      // A time-out with all its time is an outage, whose probes are cut short and find more time after each time-out.
      await fail("own", "timeout");
      passedMs += 60_000;
      await fail("own", "timeout");
      passedMs += 60_000;
      await fail("own", "timeout");
      const probes = [500, 1000].map((deadlineMs) => ({ attempts: 1, deadlineMs }));
      expect(given).toEqual([{}, { attempts: 1 }, {}, { attempts: 1 }, ...probes]);
    },
  );

  test("meets a clock that was set back: it asks", async () => {
    const { authority, failed, pass } = await open();
    authority.fault("whoami", away(), FOREVER);
    await failed();
    pass(-3_600_000);
    await failed();
    expect(authority.counts.whoami).toBe(2);
  });
});

test("a call without that wish asks, and its failure is not remembered", async () => {
  const { authority, failed, ask } = await open();
  authority.fault("whoami", away(), 2);
  await failed();
  await failed({ attempts: 1 });
  expect(authority.counts.whoami).toBe(2);
  expect(await ask({ attempts: 1 })).toMatchObject({ userId: "user-1" });
});
