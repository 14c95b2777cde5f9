import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { TokenRole } from "../src/index.js";
import { TestedAuthority } from "./start-authority.js";

const MINUTE = 60_000;

let tested: TestedAuthority;
let user = 0;

beforeAll(async () => {
  tested = await TestedAuthority.start({ publicUrl: "http://127.0.0.1" });
});

beforeEach(() => {
  user += 1;
});

afterAll(() => tested[Symbol.asyncDispose]());

const lastUse = async () =>
  (await tested.authority.registry.listAccessTokens({ userId: `user-${user}` }))[0]?.lastUsedAt;

/** Counts the transactions of the store from this call on. */
function countTransactions(): () => number {
  const transaction = vi.spyOn(tested.store, "transaction");
  return () => transaction.mock.calls.length;
}

const ask = (token: string, method: string, path: string, body?: object) =>
  tested.call(method, path, { headers: { authorization: `Bearer ${token}` }, body });

const USES: Readonly<Record<string, [TokenRole, (token: string) => Promise<{ status: number }>]>> =
  {
    whoami: ["human", (token) => ask(token, "GET", "/v1/whoami")],
    directory: ["resource_server", (token) => ask(token, "GET", "/v1/agent/agent_x")],
    introspection: [
      "resource_server",
      (token) => ask(token, "POST", "/v1/assertion/introspect", { authorization: "x" }),
    ],
    "the admin API": [
      "stop",
      (token) => {
        const headers = { authorization: `Bearer ${token}` };
        return tested.callAdmin("POST", "/v1/admin/agents/agent_x/revoke", { headers });
      },
    ],
  };

describe("the last use of a token", () => {
  it.each(Object.keys(USES))("is shown after %s", async (name) => {
    const [role, use] = USES[name] ?? expect.unreachable();
    const token = await tested.token(role, `user-${user}`);
    expect(await lastUse()).toBeUndefined();
    await use(token);
    await expect.poll(lastUse).toBe("2026-04-15T12:00:00Z");
  });

  it("is no use that was refused", async () => {
    const token = await tested.token("read", `user-${user}`);
    const other = await tested.token("human", `other-${user}`);
    await tested.authority.registry.revokeUser("acct-1", `user-${user}`);
    const headers = { authorization: `Bearer ${token}` };
    expect((await tested.callAdmin("GET", "/v1/admin/agents", { headers })).status).toBe(403);
    expect((await ask(token, "GET", "/v1/whoami")).status).toBe(401);
    // What comes after it is written after it.
    await ask(other, "GET", "/v1/whoami");
    const { registry } = tested.authority;
    await expect
      .poll(
        async () => (await registry.listAccessTokens({ userId: `other-${user}` }))[0]?.lastUsedAt,
      )
      .toBeDefined();
    expect(await lastUse()).toBeUndefined();
  });

  it("is written at most once in five minutes, and never before the answer", async () => {
    const token = await tested.token("human", `user-${user}`);
    const count = countTransactions();
    for (let i = 0; i < 20; i += 1) await ask(token, "GET", "/v1/whoami");
    await expect.poll(lastUse).toBe("2026-04-15T12:00:00Z");
    expect(count()).toBe(1);
    tested.clock.nowMs += 5 * MINUTE - 1_000;
    await ask(token, "GET", "/v1/whoami");
    expect(count()).toBe(1);
    tested.clock.nowMs += 2_000;
    await ask(token, "GET", "/v1/whoami");
    await expect.poll(lastUse).toBe("2026-04-15T12:05:01Z");
    expect(count()).toBe(2);
    vi.restoreAllMocks();
  });

  it("holds up no request if the database refuses it", async () => {
    const token = await tested.token("human", `user-${user}`);
    const failing = vi.spyOn(tested.store, "transaction").mockRejectedValueOnce(new Error("full"));
    expect((await ask(token, "GET", "/v1/whoami")).status).toBe(200);
    await expect.poll(() => failing.mock.calls.length).toBe(1);
    vi.restoreAllMocks();
    expect((await ask(token, "GET", "/v1/whoami")).status).toBe(200);
    expect(await lastUse()).toBeUndefined();
  });
});
