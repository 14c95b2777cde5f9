import {
  AgentKeyError,
  type BearerCredential,
  type Code,
  type CredentialOptions,
} from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import { connectRaw, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { credentialOf, startSigningProxy } from "./start-signing-proxy.js";

async function start() {
  const upstream = await startRawUpstream();
  const signing = await startSigningProxy({ upstream: `${upstream.url}/base` });
  const send = async () => sendRaw(signing.url, signing.request("GET", "/v1"));
  return { upstream, signing, send };
}

describe("without a credential nothing is sent, and the client gets the reason:", () => {
  test.each<[Code, boolean, number, boolean]>([
    ["timeout", true, 504, true],
    ["unreachable", true, 502, true],
    ["server_error", true, 503, true],
    ["rate_limited", true, 429, true],
    ["store_locked", true, 503, true],
    ["forbidden", false, 403, false],
    ["refused", false, 502, false],
    ["bad_response", false, 502, false],
    ["unauthenticated", false, 401, false],
    ["agent_revoked", false, 401, false],
    ["not_logged_in", false, 401, false],
    ["no_identity", false, 401, false],
    ["store_corrupt", false, 500, false],
  ])("%s", async (code, retryable, status, hasRetryAfter) => {
    const { upstream, signing, send } = await start();
    const error = new AgentKeyError(code, "no task", { retryable, hint: "do this" });
    signing.source.credential = () => Promise.reject(error);
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ code, detail: "no task; do this" });
    expect(/^retry-after: \d+\r$/im.test(answer.head)).toBe(hasRetryAfter);
    expect(signing.audit).toMatchObject([{ status, code }]);
    expect(upstream.connections).toHaveLength(0);
  });

  test("an error that was not made on purpose does not speak (G-P5)", async () => {
    const { upstream, signing, send } = await start();
    signing.source.credential = () => Promise.reject(new Error("token=secret"));
    const answer = await send();
    expect(answer).toMatchObject({ status: 503 });
    expect(answer.body).not.toContain("secret");
    expect(upstream.connections).toHaveLength(0);
  });

  test("a thread that the source refuses takes no place among the live ones", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({
      upstream: upstream.url,
      maxThreads: 1,
      source: () => {
        throw new AgentKeyError("invalid_request", "no thread");
      },
    });
    for (const id of ["a", "b"]) {
      const request = signing.request("GET", "/v1", `X-Thread-Id: ${id}\r\n`);
      expect(await sendRaw(signing.url, request)).toMatchObject({ status: 400 });
    }
    expect(upstream.connections).toHaveLength(0);
  });

  test("an id that may not be signed", async () => {
    const { upstream, signing, send } = await start();
    signing.source.current = { ...credentialOf(), taskId: "a:b" };
    const answer = await send();
    expect(answer.status).toBe(400);
    expect(upstream.connections).toHaveLength(0);
  });

  test("a source that never answers is told to stop when its client goes away", async () => {
    const { upstream, signing } = await start();
    const asked = new Promise<AbortSignal | undefined>((resolve) => {
      signing.source.credential = (options) => {
        resolve(options?.signal);
        return new Promise(() => {});
      };
    });
    const client = await connectRaw(signing.url);
    client.send(signing.request("GET", "/v1"));
    const signal = await asked;
    const aborted = new Promise<void>((resolve) => {
      signal?.addEventListener("abort", () => resolve());
    });
    client.socket.destroy();
    await aborted;
    expect(upstream.connections).toHaveLength(0);
  });
});

test.each([
  [undefined, 8000],
  [100, 100],
])(
  "credentialMs %s: a source has %i ms, for a credential and after a refusal, and outages last 5 s",
  async (credentialMs, deadlineMs) => {
    const upstream = await startRawUpstream("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    const signing = await startSigningProxy({ upstream: upstream.url, credentialMs });
    const asked: (CredentialOptions | undefined)[] = [];
    signing.source.credential = async (options) => {
      asked.push(options);
      return credentialOf();
    };
    signing.source.refused = async (_, __, options) => {
      asked.push(options);
      return undefined;
    };
    expect(await sendRaw(signing.url, signing.request("GET", "/v1"))).toMatchObject({
      status: 401,
    });
    const requestId = expect.any(String);
    const patience = { deadlineMs, outageMs: 5000, requestId, signal: expect.any(AbortSignal) };
    expect(asked).toEqual([patience, patience]);
  },
);

describe("a human's token", () => {
  const bearer: BearerCredential = {
    kind: "bearer",
    authority: "https://authority.example",
    accessToken: "human-secret",
    reason: "feature_off",
    origins: [],
  };
  const feature = { code: "no_identity", detail: expect.stringContaining("feature") };

  test.each(["feature_off", "fallback"] as const)(
    "goes to the upstream if its origin is named: %s",
    async (reason) => {
      const { upstream, signing, send } = await start();
      signing.source.current = { ...bearer, reason, origins: [`${upstream.url}/any`] };
      expect(await send()).toMatchObject({ status: 200 });
      const { bytes } = await upstream.connection(0);
      expect(bytes.text.match(/^authorization: .*\r$/gim)).toEqual([
        "authorization: Bearer human-secret\r",
      ]);
      expect(signing.audit.map(({ agent_runtime_id }) => agent_runtime_id)).toEqual([undefined]);
    },
  );

  test("goes to no other upstream: with the feature off the request is refused (G-P5)", async () => {
    const { upstream, signing, send } = await start();
    const elsewhere = [[], ["https://api.example"], ["http://127.0.0.1:1"]];
    const bearers = elsewhere.map((origins) => ({ ...bearer, origins }));
    for (const current of [...bearers, { kind: "none", reason: "feature_off" } as const]) {
      signing.source.current = current;
      const answer = await send();
      expect(answer).toMatchObject({ status: 401 });
      expect(JSON.parse(answer.body)).toMatchObject(feature);
      expect(answer.body).toContain(`name ${upstream.url} as a bearer origin`);
      expect(answer.body).not.toContain("human-secret");
    }
    expect(signing.audit).toMatchObject(Array(4).fill({ status: 401, code: "no_identity" }));
    expect(upstream.connections).toHaveLength(0);
  });

  test("of a fallback goes to no other upstream: the client gets the registration's error (G-P5)", async () => {
    const { upstream, signing, send } = await start();
    const error = new AgentKeyError("unreachable", "the authority is away", { retryable: true });
    signing.source.current = { ...bearer, reason: "fallback", error };
    const answer = await send();
    expect(answer).toMatchObject({ status: 502 });
    expect(JSON.parse(answer.body)).toMatchObject({ code: "unreachable" });
    expect(upstream.connections).toHaveLength(0);
  });

  test.each(["human-secret\n", "", "human secret"])("is not sent as %j", async (accessToken) => {
    const { upstream, signing, send } = await start();
    signing.source.current = { ...bearer, accessToken, origins: [upstream.url] };
    const answer = await send();
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.body).not.toContain(accessToken === "" ? "Bearer" : accessToken);
    expect(upstream.connections).toHaveLength(0);
  });
});
