import { describe, expect, test } from "vitest";
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
    const first = from("a");
    first.verified(caller("agent-1", "acct-1"));
    from("a").verified(caller("agent-1", "acct-1"));
    const beyond = from("a");
    expect(() => beyond.verified(caller("agent-1", "acct-1"))).toThrow(
      refusal("rate_limited", "requests_per_agent"),
    );
    beyond.leave();
    from("a").verified(caller("agent-2", "acct-1"));
    const another = from("a");
    expect(() => another.verified(caller("agent-3", "acct-1"))).toThrow(
      refusal("rate_limited", "requests_per_account"),
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
