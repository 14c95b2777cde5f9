import { generateKeyPairSync } from "node:crypto";
import { AgentKey } from "@countersign/agent-key";
import { propertyRuns } from "@countersign/testing/effort";
import { expectRejection } from "@countersign/testing/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AgentIdentityError } from "../agent-identity-error.js";
import { createSigningKey } from "./create-signing-key.js";
import { pinnedKeySet } from "./pinned-key-set.js";
import { type IdentityJwtContent, signIdentityJwt } from "./sign-identity-jwt.js";
import { CODEX_AUDIENCE, CODEX_ISSUER, verifyIdentityJwt } from "./verify-identity-jwt.js";

const AUTHORITY = "https://authority.example";
const START = 1_792_000_000;
const signingKey = await createSigningKey();
const { kid, privateJwk, publicJwk } = signingKey;
const keySet = pinnedKeySet({ keys: [publicJwk] });
const key = AgentKey.generate();
const CONTENT: IdentityJwtContent = {
  accountId: "acct-1",
  userId: "user-1",
  agentRuntimeId: "agent_1",
  key,
  issuedAt: START * 1000,
  expiresAt: (START + 3600) * 1000,
};

function sign(change: Partial<IdentityJwtContent> = {}) {
  return signIdentityJwt({ ...CONTENT, ...change }, { privateKey: privateJwk, kid });
}

function partOf(token: string, index: 0 | 1): unknown {
  return JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());
}

describe("refuses to make a token", () => {
  test.each<[string, Partial<IdentityJwtContent>]>([
    ["iss", { issuer: "" }],
    ["iss", { issuer: "x".repeat(257) }],
    ["aud", { audience: "" }],
    ["aud", { audience: ["codex-app-server"] as unknown as string }],
    ["iat", { issuedAt: START * 1000 + 500 }],
    ["iat", { issuedAt: -1000 }],
    ["exp", { expiresAt: START * 1000 }],
    ["exp", { expiresAt: START + 3600 }],
    ["exp", { expiresAt: START * 1000 + 500 }],
    ["exp", { expiresAt: Number.NaN }],
    ["exp", { expiresAt: 253_402_300_800_000 }],
    ["agent_runtime_id", { agentRuntimeId: "../agent" }],
    ["agent_runtime_id", { agentRuntimeId: "a:b" }],
    ["account_id", { accountId: "" }],
    ["chatgpt_user_id", { userId: "a b" }],
    ["email", { email: "x".repeat(255) }],
    ["plan_type", { planType: "" }],
  ])("whose claim %s no verifier would take: %o", async (claim, change) => {
    const error = await expectRejection(sign(change), AgentIdentityError, "invalid_request");
    expect(error.message).toBe(`an identity JWT cannot have this claim ${claim}`);
    expect(error.cause).toBeUndefined();
  });

  test("with a key that does not fit RS256, without showing it", async () => {
    const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    const ed25519 = generateKeyPairSync("ed25519").privateKey;
    const keys = [
      short.export({ format: "jwk" }),
      ed25519.export({ format: "jwk" }),
      { ...publicJwk },
      { kty: "oct", k: "c2VjcmV0" },
      {},
    ];
    for (const privateKey of keys) {
      const promise = signIdentityJwt(CONTENT, { privateKey, kid });
      const error = await expectRejection(promise, AgentIdentityError, "config_invalid");
      expect(error.cause).toBeUndefined();
    }
  });

  test("without a name for its key", async () => {
    for (const name of ["", "x".repeat(257)]) {
      const promise = signIdentityJwt(CONTENT, { privateKey: privateJwk, kid: name });
      await expectRejection(promise, AgentIdentityError, "config_invalid");
    }
  });
});

describe("makes a token", () => {
  test("with exactly the header and claims that Codex reads", async () => {
    const token = await sign({ email: "user@mail.example", planType: "pro" });
    expect(partOf(token, 0)).toEqual({ alg: "RS256", typ: "JWT", kid });
    expect(partOf(token, 1)).toEqual({
      iss: CODEX_ISSUER,
      aud: CODEX_AUDIENCE,
      iat: START,
      exp: START + 3600,
      agent_runtime_id: "agent_1",
      agent_private_key: key.exportPkcs8(),
      account_id: "acct-1",
      chatgpt_user_id: "user-1",
      email: "user@mail.example",
      plan_type: "pro",
      chatgpt_account_is_fedramp: false,
    });
  });

  test("that has every claim which Codex 0.132 requires, also where nothing was said", async () => {
    expect(partOf(await sign(), 1)).toMatchObject({
      email: "",
      plan_type: "unknown",
      chatgpt_account_is_fedramp: false,
    });
  });

  test("with a CryptoKey as well", async () => {
    const privateKey = await crypto.subtle.importKey(
      "jwk",
      { ...privateJwk },
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      false,
      ["sign"],
    );
    expect(await signIdentityJwt(CONTENT, { privateKey, kid })).toBe(await sign());
  });

  test("that the verifier reads as what was signed, whatever it says", async () => {
    const id = fc.string({ unit: fc.constantFrom(..."aZ09-_."), minLength: 1, maxLength: 40 });
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          accountId: id,
          userId: id,
          agentRuntimeId: id.map((rest) => `agent_${rest}`),
          issuer: text,
          audience: text,
          email: fc.string({ unit: "grapheme-ascii", maxLength: 100 }),
          planType: text,
          isFedramp: fc.boolean(),
          iat: fc.integer({ min: 0, max: START }),
          lifetime: fc.integer({ min: 1, max: 315_360_000 }),
        }),
        async ({ iat, lifetime, ...content }) => {
          const exp = iat + lifetime;
          const [issuedAt, expiresAt] = [iat * 1000, exp * 1000];
          const token = await sign({ ...content, issuedAt, expiresAt });
          const { issuer, audience } = content;
          const now = () => issuedAt;
          const options = { keySet, authority: AUTHORITY, issuer, audience, now };
          const { identity, claims, keys } = await verifyIdentityJwt(token, options);
          expect(identity).toMatchObject({
            authority: AUTHORITY,
            accountId: content.accountId,
            userId: content.userId,
            agentRuntimeId: content.agentRuntimeId,
          });
          expect(identity.key.exportPkcs8()).toBe(key.exportPkcs8());
          expect(claims).toEqual({
            iss: issuer,
            aud: audience,
            iat,
            exp,
            agent_runtime_id: content.agentRuntimeId,
            account_id: content.accountId,
            chatgpt_user_id: content.userId,
            email: content.email,
            plan_type: content.planType,
            chatgpt_account_is_fedramp: content.isFedramp,
          });
          expect(keys).toEqual([publicJwk]);
        },
      ),
      { numRuns: propertyRuns(50) },
    );
  });
});

describe("a signing key", () => {
  test("is of 2048 bits or more, named by its thumbprint, and public in its public members alone", async () => {
    expect(Object.keys(publicJwk).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
    expect(publicJwk).toMatchObject({ kty: "RSA", alg: "RS256", use: "sig", kid });
    expect(kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(publicJwk.n, "base64url")).toHaveLength(256);
    const { n } = (await createSigningKey({ modulusLength: 3072 })).publicJwk;
    expect(Buffer.from(n, "base64url")).toHaveLength(384);
  });
});
