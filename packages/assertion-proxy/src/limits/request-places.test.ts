import { describe, expect, test } from "vitest";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { type ProxyLimitOptions, resolveProxyLimits } from "./proxy-limits.js";
import { RequestPlaces } from "./request-places.js";

const caller = (agent: string, account: string) => ({
  agent_runtime_id: agent,
  account_id: account,
});

function setUp(limits: ProxyLimitOptions) {
  const places = new RequestPlaces(resolveProxyLimits(limits));
  return {
    places,
    from: (source: string | undefined) => places.take({ inWork: 0 }, { source }),
    forGood: () => places.take({ inWork: 0 }),
  };
}

function catchRefusal(run: () => void): RequestRefusal {
  try {
    run();
  } catch (error) {
    if (error instanceof RequestRefusal) return error;
    throw error;
  }
  throw new Error("not refused");
}

function refusal(code: string, limit: string) {
  return expect.objectContaining({ code, limit, retryAfterSeconds: 5 });
}

describe("places of requests", () => {
  test("that are checked are half for one address, and as many for all as for verified ones", () => {
    const { from, forGood } = setUp({ maxRequests: 4 });
    const first = from("a");
    from("a");
    expect(() => from("a")).toThrow(refusal("rate_limited", "unverified_per_address"));
    from("b");
    from(undefined);
    expect(() => from("c")).toThrow(refusal("server_error", "unverified"));
    // None of them takes one of the others.
    for (let index = 0; index < 4; index += 1) forGood();
    expect(() => forGood()).toThrow(refusal("server_error", "requests"));
    first.leave();
    first.leave();
    from("a");
    expect(() => from("c")).toThrow(refusal("server_error", "unverified"));
  });

  test("count in the share of agent and account from when the signature held to the end", () => {
    const limits = { maxRequests: 8, maxRequestsPerAgent: 2, maxRequestsPerAccount: 3 };
    const { from } = setUp(limits);
    const identified = (limit: string, identity: object) =>
      expect.objectContaining({ limit, identity });
    const first = from("a");
    first.verified(caller("agent-1", "acct-1"));
    from("a").verified(caller("agent-1", "acct-1"));
    const beyond = from("a");
    expect(() => beyond.verified(caller("agent-1", "acct-1"))).toThrow(
      refusal("rate_limited", "requests_per_agent"),
    );
    expect(() => beyond.verified(caller("agent-1", "acct-1"))).toThrow(
      identified("requests_per_agent", caller("agent-1", "acct-1")),
    );
    beyond.leave();
    from("a").verified(caller("agent-2", "acct-1"));
    const another = from("a");
    expect(() => another.verified(caller("agent-3", "acct-1"))).toThrow(
      refusal("rate_limited", "requests_per_account"),
    );
    expect(() => another.verified(caller("agent-3", "acct-1"))).toThrow(
      identified("requests_per_account", caller("agent-3", "acct-1")),
    );
    another.leave();
    from("a").verified(caller("agent-3", "acct-2"));
    first.leave();
    first.leave();
    from("a").verified(caller("agent-1", "acct-1"));
    expect(() => from("a").verified(caller("agent-1", "acct-1"))).toThrow(
      refusal("rate_limited", "requests_per_agent"),
    );
  });

  test("of a request that was given up are not taken again when its signature holds after all", () => {
    const limits = { maxRequests: 2, maxRequestsPerAgent: 1, maxRequestsPerAccount: 1 };
    const { places, from } = setUp(limits);
    const late = from("a");
    late.leave();
    late.verified(caller("agent-1", "acct-1"));
    expect([places.taken, places.unverified]).toEqual([0, 0]);
    const next = from("a");
    next.verified(caller("agent-1", "acct-1"));
    late.leave();
    next.verified(caller("agent-1", "acct-1"));
    expect([places.taken, places.unverified, places.agents.of("agent-1")]).toEqual([1, 0, 1]);
  });

  test("of verified requests are refused when all are taken, whose-ever they are", () => {
    const { places, from } = setUp({ maxRequests: 2 });
    const [first] = ["acct-1", "acct-2"].map((account) => {
      const place = from("a");
      place.verified(caller(`agent-of-${account}`, account));
      return place;
    });
    const beyond = from("a");
    const { identity, ...refused } = catchRefusal(() =>
      beyond.verified(caller("agent-3", "acct-3")),
    );
    expect(refused).toMatchObject({ code: "server_error", limit: "requests" });
    expect(identity).toEqual(caller("agent-3", "acct-3"));
    expect([places.taken, places.unverified, places.addresses.of("a")]).toEqual([2, 1, 1]);
    first?.leave();
    beyond.verified(caller("agent-3", "acct-3"));
    expect([places.taken, places.unverified, places.addresses.of("a")]).toEqual([2, 0, 0]);
    beyond.leave();
    expect(places.taken).toBe(1);
  });

  test("of one connection are given back when its requests end", () => {
    const places = new RequestPlaces(resolveProxyLimits({ maxRequestsPerConnection: 1 }));
    const connection = { inWork: 0 };
    const place = places.take(connection);
    expect(() => places.take(connection)).toThrow(
      refusal("rate_limited", "requests_per_connection"),
    );
    place.leave();
    place.leave();
    expect(connection.inWork).toBe(0);
    places.take(connection);
  });
});
