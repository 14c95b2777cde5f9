import { createHash } from "node:crypto";
import { AgentKey, AgentKeyError } from "@countersign/agent-key";
import { headerOf, pacedBy, type TestAuthority, type Wait } from "@countersign/testing";
import { expectRejection, openAuthority } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentIdentityError } from "../agent-identity-error.js";
import { AuthorityError } from "../authority-error.js";
import { AuthorityClient } from "./authority-client.js";
import type { AuthorityClientOptions, AuthorityRetry } from "./authority-request.js";

const KEY = AgentKey.generate();
const ABOM = { agentVersion: "1", agentHarnessId: "test", runningLocation: "here" };
const TOKEN = "token-of-user-1";

type Options = Partial<AuthorityClientOptions> & { readonly wait?: Wait };

async function open({ wait, ...options }: Options = {}) {
  const authority = await openAuthority();
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: TOKEN });
  const waits: number[] = [];
  const client = new AuthorityClient({
    authority: authority.url,
    // They do not wait, so that no deadline bounds them.
    attempts: 3,
    ...pacedBy(wait ?? (async (delayMs) => void waits.push(delayMs)), () => 0),
    ...options,
  });
  const register = (proof: "bearer" | "biscuit" = "bearer", accessToken = TOKEN) =>
    client.registerAgent({
      accessToken,
      proof,
      publicKey: KEY.publicKey,
      abom: ABOM,
      capabilities: [],
    });
  return { authority, client, waits, register };
}

function lastRequest(authority: TestAuthority) {
  const request = authority.requests.at(-1);
  if (request === undefined) return expect.fail("no request was received");
  return request;
}

test("refuses plain http to another machine, and a URL with credentials, at once (G-C10)", () => {
  for (const authority of ["http://authority.example", "https://u:p@authority.example", "x"]) {
    expect(() => new AuthorityClient({ authority })).toThrow(AgentKeyError);
  }
});

describe("refuses a registration, with its code and without a second try,", () => {
  const cases = [
    ["400", 400, "invalid_request"],
    ["401", 401, "unauthenticated"],
    ["403", 403, "forbidden"],
    ["404", 404, "invalid_request"],
    ["405", 405, "invalid_request"],
    ["409", 409, "invalid_request"],
    ["410", 410, "refused"],
    ["413", 413, "invalid_request"],
    ["415", 415, "invalid_request"],
    ["418", 418, "refused"],
    ["422", 422, "invalid_request"],
  ] as const;
  test.each(cases)("answered with %s", async (_, status, code) => {
    const { authority, register } = await open();
    authority.fault("register_agent", { kind: "status", status, body: "no" });
    const error = await expectRejection(register(), AuthorityError, code);
    expect(error).toMatchObject({ status, retryable: false });
    expect(error.message).toContain(": no");
    expect(authority.counts.registerAgent).toBe(1);
  });

  test("answered with 404 by something that is no authority: the hint is the URL, and an authority's own 404 keeps its own", async () => {
    const { authority, register } = await open();
    authority.fault("register_agent", { kind: "status", status: 404, body: "no such page" });
    const error = await expectRejection(register(), AuthorityError, "invalid_request");
    expect(error.hint).toContain("check the URL");
    const headers = { "content-type": "application/problem+json" };
    const body = JSON.stringify({ code: "unknown_agent" });
    authority.fault("register_agent", { kind: "status", status: 404, headers, body });
    const known = await expectRejection(register(), AuthorityError, "unknown_agent");
    expect(known.hint).toContain(`the operator of ${authority.url}`);
  });

  test("answered by an API that wants an assertion: the hint is the URL", async () => {
    const { authority, register } = await open();
    authority.fault("register_agent", { kind: "status", status: 401, body: { code: "missing" } });
    const error = await expectRejection(register(), AuthorityError, "missing");
    expect(error.hint).toContain("check the URL");
  });
});

describe("keeps the code of problem+json", () => {
  test("where it is known", async () => {
    const { authority, register } = await open();
    const body = { code: "agent_revoked", detail: "stopped by\u202e an operator\u0007" };
    authority.fault("register_agent", { kind: "status", status: 401, body });
    const error = await expectRejection(register(), AuthorityError, "agent_revoked");
    expect(error.message).toContain("stopped by\\u202e an operator\\u0007");
  });

  test.each([["store_corrupt"], ["cancelled"], ["usage"], ["no_such_code"], [7], [null]])(
    "but not %s, which no server may give",
    async (code) => {
      const { authority, register } = await open();
      authority.fault("register_agent", { kind: "status", status: 401, body: { code } });
      await expectRejection(register(), AuthorityError, "unauthenticated");
    },
  );

  test("but not that of its member error, which is for other clients", async () => {
    const { authority, register } = await open();
    const body = { detail: "no", error: { message: "other words", code: "agent_revoked" } };
    authority.fault("register_agent", { kind: "status", status: 403, body });
    const error = await expectRejection(register(), AuthorityError, "forbidden");
    expect(error.message).toContain(": no");
  });

  test("but not of any other content type", async () => {
    const { authority, register } = await open();
    const headers = { "content-type": "application/json" };
    const body = { code: "agent_revoked" };
    authority.fault("register_agent", { kind: "status", status: 401, headers, body });
    await expectRejection(register(), AuthorityError, "unauthenticated");
  });
});

describe("refuses an answer as bad_response, without a second try,", () => {
  // JSON to the end, also where it is cut.
  const long = `{"agent_runtime_id":"agent_1"}${" ".repeat(1024 * 1024)}`;
  const cases: readonly [string, string | object, string?][] = [
    ["that is malformed JSON", '{"agent_runtime_id": '],
    ["that is empty", ""],
    ["that is no JSON by its content type", '{"agent_runtime_id":"agent_1"}', "text/html"],
    ["without a content type", '{"agent_runtime_id":"agent_1"}', ""],
    ["that is longer than 1 MiB", long],
  ];
  test.each(cases)("%s", async (_, body, contentType) => {
    const { authority, register } = await open();
    const type = contentType === undefined ? {} : { contentType };
    authority.fault("register_agent", { kind: "answer", body, ...type });
    const error = await expectRejection(register(), AuthorityError, "bad_response");
    expect(error).toMatchObject({ retryable: false, status: 200 });
    expect(error.message.length).toBeLessThan(512);
    expect(authority.counts.registerAgent).toBe(1);
  });

  const ids = ["", "../../x", ".", "..", "a/b", "a:b", "a b", "a%2e", "a\u0000", "é", 7, null];
  test.each(ids.map((id) => [id]))("with the id %j (G-K8)", async (id) => {
    const { authority, register } = await open();
    authority.fault("register_agent", { kind: "answer", body: { agent_runtime_id: id } });
    await expectRejection(register(), AgentIdentityError, "bad_response");
    expect(authority.counts.registerAgent).toBe(1);
  });

  test.each([[{}], [[]], ["null"], ['"agent_1"'], [{ agentRuntimeId: "agent_1" }]])(
    "with the body %j",
    async (body) => {
      const { authority, register } = await open();
      authority.fault("register_agent", { kind: "answer", body });
      await expectRejection(register(), AgentIdentityError, "bad_response");
    },
  );
});

describe("never follows a redirect", () => {
  test.each([301, 302, 303, 307, 308])(
    "%i to another origin: nothing arrives there (G-C6)",
    async (status) => {
      const { authority, register } = await open();
      const other = await openAuthority();
      const location = `${other.url}/v1/agent/register`;
      for (const step of ["register_agent", "biscuit"] as const) {
        authority.fault(step, { kind: "redirect", status, location });
        const proof = step === "biscuit" ? "biscuit" : "bearer";
        const error = await expectRejection(register(proof), AuthorityError, "bad_response");
        expect(error).toMatchObject({ status, retryable: false });
      }
      expect(other.requests).toEqual([]);
      expect(authority.requests).toHaveLength(2);
    },
  );
});

describe("cuts and scrubs what a server says", () => {
  test("when its error has 100 kB", async () => {
    const { authority, register } = await open();
    authority.fault("register_agent", { kind: "status", status: 418, body: "x".repeat(100_000) });
    const error = await expectRejection(register(), AuthorityError, "refused");
    expect(error.message.length).toBeLessThan(700);
    expect(error.message).toMatch(/x{500,511}…$/);
  });

  test("when it echoes the token or the biscuit (G-H9)", async () => {
    const { authority, register } = await open();
    const body = `who is ${TOKEN}, Bearer ${TOKEN}?`;
    authority.fault("register_agent", { kind: "status", status: 401, body });
    const error = await expectRejection(register(), AuthorityError, "unauthenticated");
    expect(error.message).not.toContain(TOKEN);
    authority.fault("biscuit", { kind: "status", status: 401, body: { detail: body } });
    const minting = await expectRejection(register("biscuit"), AuthorityError, "unauthenticated");
    expect(minting.message).not.toContain(TOKEN);
  });
});

test("sends nothing with a token that no header can carry, and does not show it", async () => {
  const { authority, register } = await open();
  for (const token of ["", "two words", "line\nbreak", "tökén"]) {
    for (const proof of ["bearer", "biscuit"] as const) {
      const error = await expectRejection(
        register(proof, token),
        AuthorityError,
        "unauthenticated",
      );
      if (token !== "") expect(error.message).not.toContain(token);
    }
  }
  expect(authority.requests).toEqual([]);
});

test("refuses a path that would lead elsewhere than it reads", async () => {
  const { authority, client } = await open();
  for (const path of ["v1/whoami", "/../x", "/a/./b", "/a b", "/a\\b", "@other.example/", ""]) {
    await expect(client.request({ method: "GET", path })).rejects.toThrow(TypeError);
  }
  expect(authority.requests).toEqual([]);
});

describe("repeats a call after a passing failure", () => {
  test.each([500, 502, 503, 504, 429])("answered with %i, up to three times", async (status) => {
    const { authority, register, waits } = await open();
    authority.fault("register_agent", { kind: "status", status }, Number.POSITIVE_INFINITY);
    const code = status === 429 ? "rate_limited" : "server_error";
    const error = await expectRejection(register(), AuthorityError, code);
    expect(error).toMatchObject({ retryable: true, status });
    expect(authority.counts.registerAgent).toBe(3);
    expect(waits).toEqual([250, 500]);
  });

  test("and succeeds when it passes", async () => {
    const retries: AuthorityRetry[] = [];
    const { authority, client, register } = await open({ onRetry: (retry) => retries.push(retry) });
    authority.fault("register_agent", { kind: "reset" });
    authority.fault("register_agent", { kind: "lose" });
    expect(await register()).toMatchObject({ agentRuntimeId: "agent_1", accountId: "acct-1" });
    expect(authority.agents).toHaveLength(1);
    expect(retries.map(({ attempt, error }) => [attempt, error.code])).toEqual([
      [1, "unreachable"],
      [2, "unreachable"],
    ]);
    expect(client.requestCount).toBe(3);
  });

  test("and calls the client's listener, then the call's", async () => {
    const heard: string[] = [];
    const { authority, client } = await open({ onRetry: () => heard.push("client") });
    const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    authority.fault("whoami", { kind: "reset" });
    await client.whoami(token, { onRetry: ({ attempt }) => heard.push(`call ${attempt}`) });
    expect(heard).toEqual(["client", "call 1"]);
  });

  test("and waits as long as Retry-After says, in seconds or until a date", async () => {
    const now = () => Date.UTC(2026, 2, 23, 12);
    const { authority, register, waits } = await open({ now });
    const date = new Date(now() + 3500).toUTCString();
    const limited = (retryAfter: string) =>
      ({ kind: "status", status: 429, headers: { "retry-after": retryAfter } }) as const;
    authority.fault("register_agent", limited("2"));
    authority.fault("register_agent", limited(date));
    expect(await register()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(waits).toEqual([2000, 3000]);
  });

  test("but not when Retry-After goes past the deadline: then it says so at once", async () => {
    const { authority, register, waits } = await open();
    const headers = { "retry-after": "31" };
    authority.fault("register_agent", { kind: "status", status: 429, headers });
    const error = await expectRejection(register(), AuthorityError, "rate_limited");
    expect(error).toMatchObject({ retryable: true, retryAfterSeconds: 31 });
    expect(waits).toEqual([]);
    expect(authority.counts.registerAgent).toBe(1);
  });

  test("but a 403 only on another turn, and only with Retry-After", async () => {
    const { authority, register } = await open();
    const headers = { "retry-after": "1" };
    authority.fault("register_agent", { kind: "status", status: 403, headers });
    const error = await expectRejection(register(), AuthorityError, "forbidden");
    expect(error).toMatchObject({ retryable: true, retryAfterSeconds: 1 });
    expect(authority.counts.registerAgent).toBe(1);
  });

  test("but a POST only when it is told so or has an Idempotency-Key", async () => {
    const { authority, client } = await open();
    authority.fault("register_task", { kind: "status", status: 500 }, Number.POSITIVE_INFINITY);
    const call = { method: "POST", path: "/v1/agent/a/task/register", body: {} } as const;
    await expectRejection(client.request(call), AuthorityError, "server_error");
    expect(authority.counts.registerTask).toBe(1);
    const headers = { "Idempotency-Key": "k" };
    await expectRejection(client.request({ ...call, headers }), AuthorityError, "server_error");
    expect(authority.counts.registerTask).toBe(4);
    await expectRejection(client.request({ ...call, retry: true }), AuthorityError, "server_error");
    expect(authority.counts.registerTask).toBe(7);
  });
});

describe("ends in time", () => {
  test("when the authority hangs: every attempt inside one deadline", async () => {
    const { authority, register } = await open({ deadlineMs: 5000 });
    authority.fault("register_agent", { kind: "hang" }, Number.POSITIVE_INFINITY);
    const error = await expectRejection(register(), AuthorityError, "timeout");
    expect(error).toMatchObject({ retryable: true, status: undefined });
    expect(authority.counts.registerAgent).toBeGreaterThan(1);
    expect(authority.counts.registerAgent).toBeLessThanOrEqual(3);
  });

  test("when one attempt hangs: the next one may still succeed", async () => {
    const { authority, register } = await open({ deadlineMs: 10_000 });
    authority.fault("register_agent", { kind: "hang" });
    expect(await register()).toMatchObject({ agentRuntimeId: "agent_1" });
  });

  test("when biscuit and registration both hang: one deadline for the two", async () => {
    const { authority, register } = await open({ deadlineMs: 60, attempts: 1 });
    authority.fault("biscuit", { kind: "hang" }, Number.POSITIVE_INFINITY);
    await expectRejection(register("biscuit"), AuthorityError, "timeout");
    expect(authority.counts).toMatchObject({ biscuit: 1, registerAgent: 0 });
  });

  test("when no server listens", async () => {
    const { authority, register, waits } = await open();
    await authority.close();
    const error = await expectRejection(register(), AuthorityError, "unreachable");
    expect(error).toMatchObject({ retryable: true, status: undefined });
    expect(error.message).toContain("ECONNREFUSED");
    expect(waits).toEqual([250, 500]);
  });

  test("when no server listens until the deadline", async () => {
    let passedMs = 0;
    const { authority, client } = await open({
      attempts: undefined,
      deadlineMs: 10_000,
      now: () => passedMs,
      wait: async (delayMs) => {
        passedMs += delayMs;
      },
    });
    await authority.close();
    await expectRejection(client.whoami(TOKEN), AuthorityError, "unreachable");
    expect({ asked: client.requestCount, passedMs }).toEqual({ asked: 8, passedMs: 9750 });
  });

  test("when the caller has had enough", async () => {
    const { authority, client } = await open();
    authority.fault("whoami", { kind: "hang" });
    const abort = new AbortController();
    const call = client.whoami(TOKEN, { signal: abort.signal });
    await expect.poll(() => authority.counts.whoami).toBe(1);
    abort.abort();
    await expectRejection(call, AuthorityError, "cancelled");
    await expectRejection(
      client.whoami(TOKEN, { signal: abort.signal }),
      AuthorityError,
      "cancelled",
    );
    expect(authority.counts.whoami).toBe(1);
  });
});

describe("proves that it holds the key it registers", () => {
  const registration = {
    accessToken: TOKEN,
    proof: "bearer",
    publicKey: KEY.publicKey,
    abom: ABOM,
    capabilities: [],
  } as const;
  const signed = (authority: TestAuthority) => {
    const request = lastRequest(authority);
    const names = ["content-digest", "signature-input", "signature"];
    return { request, fields: names.map((name) => headerOf(request, name)) };
  };

  test("not without the key's private half", async () => {
    const { authority, client } = await open();
    await client.registerAgent(registration);
    expect(signed(authority).fields).toEqual([undefined, undefined, undefined]);
  });

  test("over method, URL and body, by a message signature that names the public line", async () => {
    const now = () => Date.UTC(2026, 2, 23, 12) + 999;
    const { authority, client } = await open({ now });
    await client.registerAgent({ ...registration, key: KEY });
    const { request, fields } = signed(authority);
    const [digest, input = "", signature] = fields;
    const sha256 = createHash("sha256").update(request.body).digest("base64");
    expect(digest).toBe(`sha-256=:${sha256}:`);
    const keyid = KEY.publicKey.line.split(" ")[1];
    const [, nonce] = /;nonce="([\w-]{22})";/.exec(input) ?? [];
    const parameters =
      `("@method" "@target-uri" "content-digest");created=${Date.UTC(2026, 2, 23, 12) / 1000}` +
      `;keyid="${keyid}";nonce="${nonce}";tag="agent-registration"`;
    expect(input).toBe(`agent-registration=${parameters}`);
    const text = [
      '"@method": POST',
      `"@target-uri": ${authority.url}/v1/agent/register`,
      `"content-digest": ${digest}`,
      `"@signature-params": ${parameters}`,
    ].join("\n");
    expect(signature).toBe(`agent-registration=:${KEY.signText(text)}:`);
  });

  test("covers the Idempotency-Key of a call that has one", async () => {
    const { authority, client } = await open();
    const call = { method: "POST", path: "/v1/agent/a/task/register", body: {} } as const;
    const headers = { "Idempotency-Key": "k" };
    const signer = { key: KEY, keyid: "agent_1", created: 1 };
    await client.request({ ...call, headers, signer }).catch(() => undefined);
    const [, input = "", signature] = signed(authority).fields;
    expect(input).toContain('("@method" "@target-uri" "content-digest" "idempotency-key");');
    const text = [
      '"@method": POST',
      `"@target-uri": ${authority.url}/v1/agent/a/task/register`,
      `"content-digest": sha-256=:${createHash("sha256").update("{}").digest("base64")}:`,
      '"idempotency-key": k',
      `"@signature-params": ${input.slice("agent-registration=".length)}`,
    ].join("\n");
    expect(signature).toBe(`agent-registration=:${KEY.signText(text)}:`);
  });

  test("again for each attempt", async () => {
    const { authority, client } = await open();
    authority.fault("register_agent", { kind: "status", status: 500 }, 2);
    await client.registerAgent({ ...registration, key: KEY });
    const inputs = authority.requests.map((request) => headerOf(request, "signature-input"));
    expect(inputs).toHaveLength(3);
    expect(new Set(inputs).size).toBe(3);
  });
});

describe("registers an agent", () => {
  test("by bearer", async () => {
    const { authority, client } = await open();
    const answer = await client.registerAgent({
      accessToken: TOKEN,
      proof: "bearer",
      publicKey: KEY.publicKey,
      abom: ABOM,
      capabilities: ["one"],
      ttlSeconds: 60,
    });
    expect(answer).toEqual({ agentRuntimeId: "agent_1", accountId: "acct-1", userId: "user-1" });
    const request = lastRequest(authority);
    expect(headerOf(request, "authorization")).toBe(`Bearer ${TOKEN}`);
    expect(headerOf(request, "x-openai-authorization")).toBeUndefined();
    expect(headerOf(request, "content-type")).toBe("application/json");
    expect(headerOf(request, "user-agent")).toMatch(/^countersign\/\d+\.\d+\.\d+/);
    expect(request.body).toBe(
      `{"abom":{"agent_version":"1","agent_harness_id":"test","running_location":"here"},"agent_public_key":"${KEY.publicKey.line}","capabilities":["one"],"ttl":60}`,
    );
  });

  test("by biscuit, minted for this request and without the token beside it", async () => {
    const { authority, register } = await open();
    expect(await register("biscuit")).toMatchObject({ agentRuntimeId: "agent_1" });
    const [minting, registration] = authority.requests;
    if (minting === undefined || registration === undefined) return expect.fail("two requests");
    expect(headerOf(minting, "authorization")).toBe(`Bearer ${TOKEN}`);
    expect(headerOf(minting, "x-original-method")).toBe("POST");
    expect(headerOf(minting, "x-original-url")).toBe(`${authority.url}/v1/agent/register`);
    expect(headerOf(minting, "x-request-id")).toMatch(/^countersign-[\w-]{22}$/);
    expect(headerOf(registration, "x-openai-authorization")).toMatch(/^biscuit-/);
    expect(headerOf(registration, "authorization")).toBeUndefined();
    expect(authority.agents[0]?.proof).toBe("biscuit");
  });

  test("by a new biscuit for every attempt, since a biscuit is spent by the first", async () => {
    const { authority, register } = await open();
    authority.fault("register_agent", { kind: "lose" });
    authority.fault("biscuit", { kind: "status", status: 500 });
    expect(await register("biscuit")).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.counts).toMatchObject({ biscuit: 3, registerAgent: 2 });
  });

  test("not with an answer that has no usable biscuit", async () => {
    const { authority, register } = await open();
    for (const headers of [
      {},
      { "x-openai-authorization": "" },
      { "x-openai-authorization": "é" },
    ]) {
      authority.fault("biscuit", { kind: "answer", body: "", headers });
      await expectRejection(register("biscuit"), AgentIdentityError, "bad_response");
    }
    expect(authority.counts.registerAgent).toBe(0);
  });
});

test("mints a biscuit for a path of this authority", async () => {
  const { authority, client } = await open();
  const biscuit = await client.biscuit(TOKEN, { method: "POST", path: "/v1/agent/register" });
  expect(biscuit).toMatch(/^biscuit-/);
  expect(headerOf(lastRequest(authority), "x-original-url")).toBe(
    `${authority.url}/v1/agent/register`,
  );
});

test("asks whose token it is, below a base path, and refuses an answer without ids", async () => {
  const authority = await openAuthority({ basePath: "/backend-api" });
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: TOKEN });
  const client = new AuthorityClient({ authority: `${authority.url}//` });
  expect(await client.whoami(TOKEN)).toEqual({ accountId: "acct-1", userId: "user-1" });
  expect(lastRequest(authority).url).toBe("/backend-api/v1/whoami");
  authority.fault("whoami", { kind: "answer", body: { account_id: "a b", user_id: "user-1" } });
  await expectRejection(client.whoami(TOKEN), AgentIdentityError, "bad_response");
});
