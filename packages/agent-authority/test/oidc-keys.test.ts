import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentAuthorityError } from "../src/agent-authority-error.js";
import { createOidcIssuer } from "../src/humans/create-oidc-issuer.js";
import type { OidcIssuerOptions } from "../src/humans/oidc-issuer-options.js";
import { describeTokenRefusal } from "../src/humans/token-refusal.js";
import { generateIssuerKey, LocalIssuer, NOON } from "./local-issuer.js";

let local: LocalIssuer;

beforeEach(async () => {
  local = await LocalIssuer.start();
});
afterEach(() => local[Symbol.asyncDispose]());

/** One issuer under test, with a clock that goes when it is told. */
function started(options: Partial<OidcIssuerOptions> = {}) {
  const issuer = createOidcIssuer(local.options(options));
  const state: { nowMs: number; cause?: unknown } = { nowMs: NOON };
  const ask = async (parts: Parameters<LocalIssuer["token"]>[0] = {}) => {
    const claims = { exp: state.nowMs / 1000 + 600, ...parts.claims };
    const token = await local.token({ ...parts, claims });
    return issuer.authenticate(token, state.nowMs).then(
      (principal) => (principal === undefined ? "not its own" : "taken"),
      (error: unknown) => {
        expect(AgentAuthorityError.is(error), String(error)).toBe(true);
        const { code, retryable, cause } = error as AgentAuthorityError;
        state.cause = cause;
        expect(retryable).toBe(code === "unreachable");
        return code === "unreachable" ? code : describeTokenRefusal(error);
      },
    );
  };
  return { ask, state, pass: (seconds: number) => (state.nowMs += seconds * 1000) };
}

describe("an issuer whose keys cannot be had is unreachable, not a refusal:", () => {
  test.each([
    ["an error", { status: 500 }],
    ["nothing there", { status: 404 }],
    ["another type", { headers: { "content-type": "text/html" } }],
    ["no JSON", { body: "<html>" }],
    ["a list", { body: "[]" }],
    ["nothing of use", { body: "{}" }],
    ["more than anyone reads", { body: `${" ".repeat(262_145)}{"keys":[]}` }],
  ])("%s", async (_, answer) => {
    const { ask } = started({ jwksUri: `${local.url}/keys` });
    // But for this the answer is good.
    local.answerKeys({ body: JSON.stringify({ keys: [local.key.publicJwk] }), ...answer });
    expect(await ask()).toBe("unreachable");
  });

  test.each([
    ["another issuer's", { issuer: "https://login.example" }],
    ["one that ends otherwise", { issuer: "http://127.0.0.1/" }],
    ["none", { issuer: undefined }],
    ["without keys", { jwks_uri: undefined }],
    ["with keys over plain http", { jwks_uri: "http://login.example/keys" }],
    ["with keys in a file", { jwks_uri: "file:///etc/hosts" }],
    ["with keys behind a password", { jwks_uri: "https://user:secret@login.example/keys" }],
  ])("a discovery document that is %s", async (_, members) => {
    const { ask, state } = started();
    local.answerDiscovery(members);
    expect(await ask()).toBe("unreachable");
    // No request went to that address.
    expect(state.cause).toMatchObject({ code: "bad_response" });
    expect(local.keyRequests).toBe(0);
  });

  test("no UTF-8", async () => {
    const { ask } = started({ jwksUri: `${local.url}/keys` });
    const text = JSON.stringify({ keys: [local.key.publicJwk], filler: "\u00ff" });
    local.answerKeys({ body: Buffer.from(text, "latin1") });
    expect(await ask()).toBe("unreachable");
    local.answerKeys({ body: text });
    expect(await started().ask()).toBe("taken");
  });

  test("a redirect, which is not followed", async () => {
    await using elsewhere = await LocalIssuer.start();
    elsewhere.keys = local.keys;
    const { ask } = started();
    local.answerKeys({ status: 302, headers: { location: `${elsewhere.url}/keys` } });
    expect(await ask()).toBe("unreachable");
    local.answerAll({ status: 302, headers: { location: `${elsewhere.url}/keys` } });
    expect(await started().ask()).toBe("unreachable");
    expect(elsewhere.requests).toEqual([]);
  });

  test("no answer in time", async () => {
    const { ask } = started({ deadlineMs: 100 });
    local.answerAll({ hangs: true });
    expect(await ask()).toBe("unreachable");
  });

  test("no server", async () => {
    const { ask } = started();
    await local[Symbol.asyncDispose]();
    expect(await ask()).toBe("unreachable");
  });
});

describe("the keys of an issuer", () => {
  test("are asked for at the first token, where discovery says, and not again for ten minutes", async () => {
    const { ask, pass } = started();
    expect(local.requests).toEqual([]);
    expect(await ask()).toBe("taken");
    expect(local.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
    pass(599);
    expect(await ask()).toBe("taken");
    expect(local.keyRequests).toBe(1);
    pass(1);
    expect(await ask()).toBe("taken");
    expect(local.keyRequests).toBe(2);
  });

  test("are asked for where the configuration says, without discovery", async () => {
    const { ask } = started({ jwksUri: `${local.url}/keys` });
    expect(await ask()).toBe("taken");
    expect(local.requests).toEqual(["/keys"]);
  });

  test("are asked for once by all who come at once", async () => {
    const { ask } = started();
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => ask())))).toEqual(
      new Set(["taken"]),
    );
    expect(local.keyRequests).toBe(1);
  });

  test("are asked for again for an unknown one, so that a new key is taken at once", async () => {
    const { ask, pass } = started();
    expect(await ask()).toBe("taken");
    const old = local.key;
    const next = await generateIssuerKey("key-2");
    local.keys = [next, old];
    pass(30);
    expect(await ask({ key: next })).toBe("taken");
    expect(await ask({ key: old })).toBe("taken");
    expect(local.keyRequests).toBe(2);
  });

  test("are asked for at most once in 30 s, however many invent keys (G-A6)", async () => {
    const { ask, pass } = started();
    expect(await ask()).toBe("taken");
    pass(30);
    const invent = (n: number) => ask({ header: { kid: `invented-${n}` } });
    const refused = await Promise.all(Array.from({ length: 20 }, (_, n) => invent(n)));
    expect(new Set(refused)).toEqual(new Set(["oidc local: kid"]));
    pass(29);
    expect(await invent(21)).toBe("oidc local: kid");
    expect(local.keyRequests).toBe(2);
    pass(1);
    expect(await invent(22)).toBe("oidc local: kid");
    expect(local.keyRequests).toBe(3);
  });

  test("do not count any longer when they were withdrawn and the ten minutes are over", async () => {
    const { ask, pass } = started();
    expect(await ask()).toBe("taken");
    const old = local.key;
    local.keys = [await generateIssuerKey("key-2")];
    pass(599);
    expect(await ask({ key: old })).toBe("taken");
    pass(1);
    expect(await ask({ key: old })).toBe("oidc local: kid");
  });

  test("are kept apart from a broken one beside them", async () => {
    const { ask } = started();
    const broken = [{ kty: "RSA", kid: "key-1" }, { kty: "oct", kid: "key-1", k: "AAAA" }, 7, null];
    local.answerKeys([...(broken as never[]), local.key.publicJwk]);
    expect(await ask()).toBe("taken");
  });
});

describe("while an issuer gives no keys", () => {
  test("the last ones are used for an hour after their time, and not longer (G-A6)", async () => {
    const { ask, pass } = started();
    expect(await ask()).toBe("taken");
    local.answerAll({ status: 503, body: "{}" });
    pass(600);
    expect(await ask()).toBe("taken");
    pass(3599);
    expect(await ask()).toBe("taken");
    pass(1);
    expect(await ask()).toBe("unreachable");
    local.answerAll(undefined);
    pass(2);
    expect(await ask()).toBe("taken");
  });

  test("it is asked at most once in 30 s as long as the last ones serve", async () => {
    const { ask, pass } = started();
    await ask();
    local.answerAll({ status: 503, body: "{}" });
    pass(600);
    const before = local.requests.length;
    await ask();
    pass(29);
    await ask();
    expect(local.requests.length - before).toBe(1);
    pass(1);
    await ask();
    expect(local.requests.length - before).toBe(2);
  });

  test("it is asked at most once in 2 s when there are none", async () => {
    const { ask, pass } = started();
    local.answerAll({ status: 503, body: "{}" });
    expect(await ask()).toBe("unreachable");
    local.answerAll(undefined);
    expect(await ask()).toBe("unreachable");
    expect(local.requests).toHaveLength(1);
    pass(2);
    expect(await ask()).toBe("taken");
    // What was out of reach is no longer.
    expect(await ask({ header: { kid: "invented" } })).toBe("oidc local: kid");
  });

  test("a key that may be new is unreachable, not unknown", async () => {
    const { ask, pass } = started();
    await ask();
    local.answerAll({ status: 503, body: "{}" });
    const next = await generateIssuerKey("key-2");
    pass(30);
    expect(await ask({ key: next })).toBe("unreachable");
    expect(await ask()).toBe("taken");
  });

  test("none are used past their time where that was decided", async () => {
    const { ask, pass } = started({ cacheSeconds: 0, staleIfErrorSeconds: 0 });
    expect(await ask()).toBe("taken");
    local.answerAll({ status: 503, body: "{}" });
    pass(2);
    expect(await ask()).toBe("unreachable");
  });

  test("and the clock is set back, what was fetched is old, not fresh for ever", async () => {
    const { ask, pass } = started();
    expect(await ask()).toBe("taken");
    pass(-86_400);
    expect(await ask()).toBe("taken");
    expect(local.keyRequests).toBe(2);
  });
});

test("several issuers keep their keys and tokens apart", async () => {
  await using other = await LocalIssuer.start();
  const first = createOidcIssuer(local.options());
  const second = createOidcIssuer(other.options({ name: "other", account: "acct-2" }));
  const token = await other.token();
  expect(await first.authenticate(token, NOON)).toBeUndefined();
  expect(await second.authenticate(token, NOON)).toMatchObject({
    accountId: "acct-2",
    userId: "other:user-1",
  });
  expect(local.requests).toEqual([]);
  // One that says to be of the first, signed by the second under the same key id.
  const forged = await other.token({ claims: { iss: local.url } });
  expect(await second.authenticate(forged, NOON)).toBeUndefined();
  await expect(first.authenticate(forged, NOON)).rejects.toMatchObject({
    code: "unauthenticated",
  });
});
