import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { VerifiedAssertion } from "@countersign/agent-assertion";
import { describe, expect, onTestFinished, test } from "vitest";
import { type CallerTokenOptions, createCallerTokens } from "../src/caller-token/caller-tokens.js";
import { createProxyMetrics } from "../src/exchange/proxy-metrics.js";
import { AssertionProxyError } from "../src/refusal/assertion-proxy-error.js";
import { createOperationsListener } from "../src/serve/operations-listener.js";
import { createCallerCheck } from "./check-caller.js";
import { sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startAuthorizer } from "./start-authorizer.js";
import { startGateway } from "./start-gateway.js";

const DAY_MS = 86_400_000;
const CALLER: VerifiedAssertion = {
  authority: "https://authority.example",
  agentRuntimeId: "agent_1",
  taskId: "task_1",
  accountId: "acct-1",
  userId: "user-1",
  capabilities: ["read"],
  issuedAt: 0,
  skewSeconds: 0,
  covered: [],
};
const OWN = { agent: "agent_1", task: "task_1", account: "acct-1" };

function pemKey(type: "ed25519" | "ed448" = "ed25519"): string {
  // The declared types have one signature for each kind of key.
  const { privateKey } = generateKeyPairSync(type as "ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function ecKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "sec1", format: "pem" }).toString();
}

/** Signs tokens, and checks them as the document says, with the keys of an operations listener. */
async function start(options: Partial<CallerTokenOptions> = {}) {
  const tokens = createCallerTokens({ audience: "api", ...options });
  const operations = createOperationsListener({
    metrics: createProxyMetrics(),
    isReady: () => true,
    callerTokens: tokens,
  });
  onTestFinished(() => operations.close());
  const { url } = await operations.listen({ port: 0 });
  const keysUrl = `${url}/.well-known/jwks.json`;
  return { tokens, keysUrl, check: createCallerCheck(keysUrl, "api") };
}

function decoded(part: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(part ?? "", "base64url").toString());
}

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("caller tokens", () => {
  test.each([
    ["no audience", { audience: undefined }],
    ["an empty audience", { audience: "" }],
    ["an audience with a space", { audience: "the api" }],
    ["an issuer with a line break", { issuer: "a\nb" }],
    ["keys that are not PEM", { keys: "secret" }],
    ["a broken key", { keys: "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----" }],
    ["a key of another kind", { keys: pemKey("ed448") }],
    ["a key of another form behind one", { keys: pemKey() + ecKey() }],
    ["a key behind one that is cut off", { keys: pemKey() + pemKey().slice(0, 60) }],
  ])("are not made with %s (G-M1)", (_, wrong) => {
    let error: unknown;
    try {
      createCallerTokens({ audience: "api", ...wrong } as CallerTokenOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(AssertionProxyError.is(error) && error.code).toBe("config_invalid");
    expect(String(error)).not.toContain("secret");
  });

  test("have the verified facts, one purpose and 60 seconds", async () => {
    const now = 1_790_000_000_500;
    const { tokens } = await start({ now: () => now });
    const [head, claims] = tokens.sign(CALLER).split(".").slice(0, 2).map(decoded);
    expect(head).toEqual({ alg: "EdDSA", typ: "agent-caller+jwt", kid: expect.any(String) });
    expect(claims).toEqual({
      iss: "countersign",
      aud: "api",
      sub: "agent_1",
      authority: "https://authority.example",
      task_id: "task_1",
      account_id: "acct-1",
      user_id: "user-1",
      capabilities: ["read"],
      iat: 1_790_000_000,
      exp: 1_790_000_060,
      jti: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(decoded(tokens.sign(CALLER).split(".")[1]).jti).not.toBe(claims?.jti);
  });
});

describe("the documented check of an upstream (G-F5)", () => {
  test("takes a token", async () => {
    const { tokens, check } = await start();
    expect(await check(tokens.sign(CALLER))).toEqual(OWN);
  });

  test.each([
    ["another audience", "ERR_JWT_CLAIM_VALIDATION_FAILED", { audience: "billing" }],
    ["another issuer", "ERR_JWT_CLAIM_VALIDATION_FAILED", { issuer: "other" }],
    ["a time that is over", "ERR_JWT_EXPIRED", { now: () => Date.now() - 71_000 }],
  ])("refuses %s", async (_, code, options) => {
    const { tokens, check } = await start(options);
    await expect(check(tokens.sign(CALLER))).rejects.toMatchObject({ code });
  });

  test("refuses a changed field", async () => {
    const { tokens, check } = await start();
    const [head, claims, signature] = tokens.sign(CALLER).split(".");
    for (const name of ["sub", "task_id", "account_id", "user_id", "capabilities", "exp", "jti"]) {
      const changed = encoded({ ...decoded(claims), [name]: name === "exp" ? 4e9 : "other" });
      await expect(check(`${head}.${changed}.${signature}`)).rejects.toMatchObject({
        code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
      });
    }
  });

  test("refuses another type, no signature, and a key that the gateway does not have", async () => {
    const { tokens, check } = await start();
    const [head, claims] = tokens.sign(CALLER).split(".");
    const { privateKey } = generateKeyPairSync("ed25519");
    const signed = (changes: object, key = privateKey) => {
      const input = `${encoded({ ...decoded(head), ...changes })}.${claims}`;
      return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
    };
    await expect(check(signed({}))).rejects.toMatchObject({
      code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    });
    await expect(check(signed({ kid: "other" }))).rejects.toMatchObject({
      code: "ERR_JWKS_NO_MATCHING_KEY",
    });
    await expect(
      check(`${encoded({ ...decoded(head), alg: "none" })}.${claims}.`),
    ).rejects.toThrow();
    const pem = pemKey();
    const shared = await start({ keys: pem });
    const { kid } = JSON.parse(shared.tokens.jwks()).keys[0];
    await expect(shared.check(signed({ kid, typ: "JWT" }, pem as never))).rejects.toMatchObject({
      code: "ERR_JWT_CLAIM_VALIDATION_FAILED",
    });
  });

  test("refuses a token of a key that was replaced, once its last token is over", async () => {
    let now = Date.now();
    const { tokens, keysUrl } = await start({ now: () => now });
    const kidsNow = async () => {
      const { keys } = (await (await fetch(keysUrl)).json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid);
    };
    const kidOf = (token: string) => decoded(token.split(".")[0]).kid;
    const old = tokens.sign(CALLER);
    const [first, second] = await kidsNow();
    expect(kidOf(old)).toBe(first);
    now += DAY_MS;
    // The next key was published before it signs.
    expect(kidOf(tokens.sign(CALLER))).toBe(second);
    expect(await kidsNow()).toEqual([second, expect.any(String), first]);
    expect(await createCallerCheck(keysUrl, "api")(old)).toEqual(OWN);
    now += 120_001;
    expect(await kidsNow()).toEqual([second, expect.any(String)]);
    await expect(createCallerCheck(keysUrl, "api")(old)).rejects.toMatchObject({
      code: "ERR_JWKS_NO_MATCHING_KEY",
    });
  });

  test("takes the last tokens of shared keys that were replaced, and none once they are over", async () => {
    let now = Date.now();
    const [former, later] = [pemKey(), pemKey()];
    const { tokens, keysUrl } = await start({ keys: former, now: () => now });
    const last = tokens.sign(CALLER);
    for (const wrong of ["secret", "", undefined as never]) {
      expect(() => tokens.setKeys(wrong)).toThrow(AssertionProxyError);
    }
    tokens.setKeys(later);
    const check = createCallerCheck(keysUrl, "api");
    expect(await check(last)).toEqual(OWN);
    expect(await check(tokens.sign(CALLER))).toEqual(OWN);
    const published = () => JSON.parse(tokens.jwks()).keys;
    now += 120_000;
    expect(published()).toHaveLength(2);
    now += 1;
    expect(published()).toHaveLength(1);
    expect(decoded(tokens.sign(CALLER).split(".")[0]).kid).toBe(published()[0].kid);
  });

  test("takes the tokens of every process that has the same keys, and shows no private half", async () => {
    const [first, second] = [pemKey(), pemKey()];
    const publicHalf = createPublicKey(first).export({ type: "spki", format: "pem" });
    const { check, keysUrl } = await start({ keys: `# first\n${first}${publicHalf}${second}` });
    const replica = createCallerTokens({ audience: "api", keys: second + first });
    expect(await check(replica.sign(CALLER))).toEqual(OWN);
    const text = await (await fetch(keysUrl)).text();
    const { x } = createPublicKey(first).export({ format: "jwk" });
    expect(text).toContain(`"x":"${x}"`);
    expect(text).not.toContain('"d"');
  });
});

describe("the upstream gets the gateway's caller token alone (G-F5)", () => {
  test("of the verifying gateway, beside its own credential", async () => {
    const { tokens, check } = await start();
    const upstream = await startRawUpstream();
    const gateway = await startGateway({
      upstream: upstream.url,
      callerTokens: tokens,
      upstreamHeaders: { authorization: "Bearer key" },
    });
    const forged = "X-Agent-Caller-Token: evil\r\nx_agent_caller_token: evil\r\n";
    expect((await sendRaw(gateway.url, gateway.request("GET", "/", forged))).status).toBe(200);
    const { bytes } = await upstream.connection(0);
    const sent = bytes.text.match(/^x.agent.caller.token: .*$/gim) ?? [];
    expect(sent).toHaveLength(1);
    expect(await check(sent[0]?.split(": ")[1]?.trim() ?? "")).toEqual(OWN);
  });

  test("of the authorizer", async () => {
    const { tokens, check } = await start();
    const { url, request } = await startAuthorizer({ callerTokens: tokens });
    const pair = "X-Original-Method: GET\r\nX-Original-URI: /\r\n";
    const { head } = await sendRaw(url, request("GET", "/", pair));
    const [, token = ""] = /^x-agent-caller-token: (\S+)\r$/im.exec(head) ?? [];
    expect(await check(token)).toEqual(OWN);
    const forged = "X-Agent-Caller-Token: evil\r\n";
    expect((await sendRaw(url, request("GET", "/", pair + forged))).status).toBe(403);
  });
});
