import { expectRejection } from "@countersign/testing/vitest";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentAuthorityError } from "../src/agent-authority-error.js";
import { createOidcIssuer } from "../src/humans/create-oidc-issuer.js";
import type { OidcIssuerOptions } from "../src/humans/oidc-issuer-options.js";
import { ProviderServer } from "./oidc-provider-server.js";

const AUDIENCE = "https://authority.example";

let provider: ProviderServer;
let key: JWK;

beforeAll(async () => {
  key = await generateKey("key-1");
  provider = await ProviderServer.start([key]);
});
afterAll(() => provider[Symbol.asyncDispose]());

async function generateKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: "ES256", use: "sig" };
}

function issuer(options: Partial<OidcIssuerOptions> = {}) {
  return createOidcIssuer({
    name: "staff",
    issuer: provider.issuer,
    audience: AUDIENCE,
    account: "acct-1",
    ...options,
  });
}

describe("of a real issuer", () => {
  test("rejects an access token for another resource", async () => {
    const token = await provider.accessToken("https://other.example");
    const asked = issuer().authenticate(token, Date.now());
    await expectRejection(asked, AgentAuthorityError, "unauthenticated");
  });

  test("rejects an ID token where an access token is expected, and the other way round (G-A3)", async () => {
    const idToken = await provider.idToken("user-1");
    const accessToken = await provider.accessToken(AUDIENCE);
    for (const [token, audience] of [
      [idToken, AUDIENCE],
      [accessToken, provider.clientId],
    ] as const) {
      const asked = issuer({ audience }).authenticate(token, Date.now());
      await expectRejection(asked, AgentAuthorityError, "unauthenticated");
    }
  });

  test("takes an access token for this authority", async () => {
    const token = await provider.accessToken(AUDIENCE);
    expect(await issuer().authenticate(token, Date.now())).toMatchObject({
      accountId: "acct-1",
      userId: `staff:${provider.clientId}`,
      actor: "oidc:staff",
    });
  });

  test("takes an ID token for its client", async () => {
    const token = await provider.idToken("user-1");
    const options = { audience: provider.clientId, require: { sub: ["user-1", "user-2"] } };
    expect(await issuer(options).authenticate(token, Date.now())).toMatchObject({
      userId: "staff:user-1",
    });
  });

  test("takes tokens of the old and the new key while it rotates, and of the new one alone after", async () => {
    const rotated = issuer({ cacheSeconds: 60 });
    const next = await generateKey("key-2");
    let nowMs = Date.now();
    const old = await provider.accessToken(AUDIENCE);
    expect(await rotated.authenticate(old, nowMs)).toBeDefined();
    provider.rotate([next, key]);
    const fresh = await provider.accessToken(AUDIENCE);
    nowMs += 30_000;
    expect(await rotated.authenticate(fresh, nowMs)).toBeDefined();
    expect(await rotated.authenticate(old, nowMs)).toBeDefined();
    provider.rotate([next]);
    nowMs += 60_000;
    expect(await rotated.authenticate(fresh, nowMs)).toBeDefined();
    const asked = rotated.authenticate(old, nowMs);
    await expectRejection(asked, AgentAuthorityError, "unauthenticated");
    provider.rotate([key]);
  });
});
