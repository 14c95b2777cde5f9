import type { Code } from "@countersign/agent-key";
import { type Fault, pacedBy, startTestUpstream } from "@countersign/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { AgentIdentityError } from "../src/agent-identity-error.js";
import { AuthorityError } from "../src/authority-error.js";
import { AuthorityClient } from "../src/client/authority-client.js";
import { openManager } from "./support/manager.js";

interface Misbehaviour {
  readonly name: string;
  readonly step?: "biscuit" | "register_agent";
  readonly fault: Fault;
  readonly code: Code;
  readonly retryable?: boolean;
  /** Requests for biscuits and registrations that one call sends. Left out where that depends on time; then there are up to three. */
  readonly requests?: readonly [biscuit: number, registerAgent: number];
}

const status = (code: number, body: string | object = "", headers = {}): Fault => ({
  kind: "status",
  status: code,
  body,
  headers,
});
const answer = (body: string | object): Fault => ({ kind: "answer", body });
const retryable = true;
const step = "biscuit";

const cases: readonly Misbehaviour[] = [
  {
    name: "a biscuit answered 401",
    step,
    fault: status(401),
    code: "unauthenticated",
    requests: [1, 0],
  },
  {
    name: "a biscuit answered 500",
    step,
    fault: status(500),
    code: "server_error",
    retryable,
    requests: [3, 0],
  },
  {
    name: "a biscuit answer without its header",
    step,
    fault: answer(""),
    code: "bad_response",
    requests: [1, 0],
  },
  {
    name: "a biscuit request that hangs",
    step,
    fault: { kind: "hang" },
    code: "timeout",
    retryable,
  },
  {
    name: "a registration answered 401",
    fault: status(401),
    code: "unauthenticated",
    requests: [1, 1],
  },
  { name: "a registration answered 403", fault: status(403), code: "forbidden", requests: [1, 1] },
  {
    name: "a registration answered 403 with Retry-After",
    fault: status(403, "", { "retry-after": "1" }),
    code: "forbidden",
    retryable,
    requests: [1, 1],
  },
  {
    name: "a registration answered 404",
    fault: status(404),
    code: "invalid_request",
    requests: [1, 1],
  },
  {
    name: "a registration answered 429 with Retry-After",
    fault: status(429, "", { "retry-after": "1" }),
    code: "rate_limited",
    retryable,
    requests: [3, 3],
  },
  {
    name: "a registration answered 500",
    fault: status(500),
    code: "server_error",
    retryable,
    requests: [3, 3],
  },
  {
    name: "a registration answered 503",
    fault: status(503),
    code: "server_error",
    retryable,
    requests: [3, 3],
  },
  {
    name: "a registration answered 500 with 100 kB",
    fault: status(500, "x".repeat(100_000)),
    code: "server_error",
    retryable,
    requests: [3, 3],
  },
  {
    name: "a registration answer that is no JSON",
    fault: answer("{"),
    code: "bad_response",
    requests: [1, 1],
  },
  {
    name: "a registration answer without an id",
    fault: answer({}),
    code: "bad_response",
    requests: [1, 1],
  },
  {
    name: "a registration answer with an empty id",
    fault: answer({ agent_runtime_id: "" }),
    code: "bad_response",
    requests: [1, 1],
  },
  {
    name: "a registration answer with an id that would reach a path",
    fault: answer({ agent_runtime_id: "../../evil path?x=1#é" }),
    code: "bad_response",
    requests: [1, 1],
  },
  {
    name: "a registration answer over 1 MiB",
    fault: answer({ agent_runtime_id: "agent_7", padding: "x".repeat(1_100_000) }),
    code: "bad_response",
    requests: [1, 1],
  },
  {
    name: "a registration request that hangs",
    fault: { kind: "hang" },
    code: "timeout",
    retryable,
  },
  {
    name: "a registration whose connection breaks",
    fault: { kind: "reset" },
    code: "unreachable",
    retryable,
    requests: [3, 3],
  },
  {
    name: "a registration whose answer is lost",
    fault: { kind: "lose" },
    code: "unreachable",
    retryable,
    requests: [3, 3],
  },
];

describe("an error with its code, a key kept unless it was plainly refused, and one agent from the next call on:", () => {
  test.each(cases)("$name", async (wrong) => {
    const { manager, patient, authority, auth, human, store } = await openManager({
      // Only what hangs uses it up.
      deadlineMs: wrong.requests === undefined ? 1000 : undefined,
    });
    const login = { ...human("acct-1", "user-1"), proof: "biscuit" } as const;
    auth.set(login);
    authority.fault(wrong.step ?? "register_agent", wrong.fault, Number.POSITIVE_INFINITY);
    const error: unknown = await manager.ensure().catch((reason: unknown) => reason);
    if (!AuthorityError.is(error) && !AgentIdentityError.is(error)) throw error;
    const { code, message } = error;
    expect({ code, retryable: error.retryable, message }).toMatchObject({
      code: wrong.code,
      retryable: wrong.retryable ?? false,
    });
    expect(message.length).toBeLessThan(800);
    const { identities } = await store.load();
    // A plain refusal changes nothing in the store; after anything else the authority may know the key.
    const isRefused = AuthorityError.is(error) && !error.retryable && /^4/.test(`${error.status}`);
    expect(identities.map(({ state }) => state)).toEqual(isRefused ? [] : ["pending"]);
    for (const secret of [login.accessToken, identities[0]?.private_key ?? "no key"]) {
      expect(message).not.toContain(secret);
    }
    const { biscuit, registerAgent } = authority.counts;
    expect(manager.client.requestCount).toBe(biscuit + registerAgent);
    if (wrong.requests === undefined) {
      expect(Math.max(biscuit, registerAgent)).toBeLessThanOrEqual(3);
    } else {
      expect([biscuit, registerAgent]).toEqual(wrong.requests);
    }
    authority.clearFaults();
    const identity = await patient().ensure();
    expect(identity?.key.publicKey.line).toBe(authority.agents[0]?.publicKey);
    expect(authority.agents).toHaveLength(1);
    const after = await store.load();
    expect(after.identities).toMatchObject([{ state: "registered" }]);
    if (!isRefused) expect(after.identities[0]?.private_key).toBe(identities[0]?.private_key);
  });
});

describe("a redirect to another origin is never followed:", () => {
  test.each(["biscuit", "register_agent"] as const)("from %s", async (from) => {
    const elsewhere = await startTestUpstream();
    onTestFinished(() => elsewhere.close());
    const { manager, authority, auth, human } = await openManager();
    auth.set({ ...human("acct-1", "user-1"), proof: "biscuit" });
    authority.fault(from, { kind: "redirect", status: 307, location: `${elsewhere.url}/v1` });
    await expect(manager.ensure()).rejects.toMatchObject({ code: "bad_response" });
    expect(elsewhere.requests).toEqual([]);
  });
});

test("the caller sees nothing of one temporary failure", async () => {
  const { manager, authority } = await openManager();
  authority.fault("register_agent", { kind: "status", status: 503 });
  expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
  expect(authority.counts.registerAgent).toBe(2);
});

test("an authority where no server listens is unreachable, and the error says why", async () => {
  // Below the ports that the system gives to listeners: the port of one that was closed may be another's by now.
  const authority = "http://127.0.0.1:2";
  const { manager } = await openManager({
    authority,
    client: new AuthorityClient({ authority, attempts: 3, ...pacedBy() }),
  });
  await expect(manager.ensure()).rejects.toMatchObject({
    code: "unreachable",
    retryable: true,
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("waiting for another process's registration and registering have one deadline together", async () => {
  const { manager, patient, authority, store } = await openManager({ deadlineMs: 200 });
  const [first] = await Promise.all([manager.auth()]);
  if (first?.kind !== "human") return expect.fail("there is no login");
  const name = `agent-registration ${JSON.stringify([authority.url, "acct-1", "user-1"])}`;
  let release = () => {};
  const held = store.withLock(name, () => new Promise<void>((resolve) => (release = resolve)));
  await expect(manager.ensure()).rejects.toMatchObject({ code: "timeout", retryable: true });
  expect(authority.requests).toEqual([]);
  release();
  await held;
  expect(await patient().ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
});
