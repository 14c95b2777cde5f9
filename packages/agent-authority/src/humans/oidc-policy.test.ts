import { describe, expect, test } from "vitest";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { createOidcIssuer } from "./create-oidc-issuer.js";
import type { OidcIssuerOptions } from "./oidc-issuer-options.js";
import { checkOidcOptions } from "./oidc-policy.js";

const GOOD: OidcIssuerOptions = {
  name: "staff",
  issuer: "https://login.example",
  audience: "https://authority.example",
  account: "acct-1",
};
const TENANT = "11111111-2222-4333-8444-555555555555";

// biome-ignore lint/suspicious/noExplicitAny: configuration is anything
function refusalOf(options: any): unknown {
  try {
    createOidcIssuer({ ...GOOD, ...options });
  } catch (error) {
    return error;
  }
  return undefined;
}

function expectInvalid(options: object, option: string): void {
  const error = refusalOf(options);
  expect(AgentAuthorityError.is(error), JSON.stringify(options)).toBe(true);
  expect(error).toMatchObject({ code: "config_invalid", retryable: false });
  expect((error as Error).message).toMatch(/^oidc \S+: /);
  expect((error as Error).message).toContain(`: ${option} must `);
}

describe("an issuer is not started with", () => {
  test.each(["", "Staff", "staff:a", "staff_a", "a".repeat(33)])("the name %j", (name) => {
    expectInvalid({ name }, "name");
  });

  test.each([
    "",
    "login.example",
    "http://login.example",
    "https://user:secret@login.example",
    "https://login.example?tenant=a",
    "https://login.example#a",
  ])("the issuer %j", (issuer) => {
    expectInvalid({ issuer }, "issuer");
    expect(String(refusalOf({ issuer }))).not.toContain("secret");
  });

  test.each(["", ["https://authority.example"], undefined])("the audience %j", (audience) => {
    expectInvalid({ audience }, "audience");
  });

  test.each([
    "http://login.example/keys",
    "http://127.0.0.1/keys",
    "https://user:secret@login.example/keys",
    "keys",
  ])("keys at %j", (jwksUri) => {
    expectInvalid({ jwksUri }, "jwksUri");
  });

  test.each([
    ["run_id"],
    [["run id"]],
    [[""]],
    [[7]],
    [["x".repeat(257)]],
    [Array.from({ length: 17 }, (_, index) => `claim-${index}`)],
  ])("the claims %j to keep", (keepClaims) => {
    expectInvalid({ keepClaims }, "keepClaims");
  });

  test.each([[[]], [["HS256"]], [["none"]], [["RS256", "HS512"]], [["rs256"]]])(
    "the algorithms %j",
    (algorithms) => {
      expectInvalid({ algorithms }, "algorithms");
    },
  );

  test.each(["email", "preferred_username", "name", "upn", "nickname", "unique_name", "Email"])(
    "the claim %s as user or account, which may change hands (G-A4)",
    (claim) => {
      expectInvalid({ user: claim }, "user");
      expectInvalid({ account: { claim, allowed: ["a"] } }, "account.claim");
    },
  );

  test.each(["", "a b", "a".repeat(257)])("the claim %j as user", (user) => {
    expectInvalid({ user }, "user");
  });

  test.each(["", "two words", "a,b"])("the account %j", (account) => {
    expectInvalid({ account }, "account");
  });

  test.each([[[]], [[""]], [["two words"]], [["a", "b".repeat(256)]]])(
    "an account claim whose allowed values are %j",
    (allowed) => {
      expectInvalid({ account: { claim: "tid", allowed } }, "account.allowed");
    },
  );

  test.each([
    [{ team: [] }, "require.team"],
    [{ team: "" }, "require.team"],
    [{ team: 7 }, "require.team"],
    [{ "": "a" }, "require."],
    [{ iss: "https://login.example" }, "require.iss"],
    [{ aud: "https://authority.example" }, "require.aud"],
  ])("the requirement %j", (require, option) => {
    expectInvalid({ require }, option);
  });

  test.each([
    ["clockToleranceSeconds", -1],
    ["clockToleranceSeconds", 301],
    ["clockToleranceSeconds", 0.5],
    ["clockToleranceSeconds", Number.NaN],
    ["agentTtlSeconds", 0],
    ["agentTtlSeconds", 315_360_001],
    ["cacheSeconds", 86_401],
    ["staleIfErrorSeconds", -1],
    ["deadlineMs", 0],
  ])("%s = %d", (option, value) => {
    expectInvalid({ [option]: value }, option);
  });
});

describe("an issuer that strangers share is refused without claims that distinguish them (G-A5)", () => {
  const shared = [
    "https://token.actions.githubusercontent.com",
    "https://token.actions.githubusercontent.com/some-enterprise",
    "https://gitlab.com",
    "https://accounts.google.com",
    "https://login.microsoftonline.com/common/v2.0",
    "https://login.microsoftonline.com/organizations/v2.0",
    "https://login.microsoftonline.com/consumers/v2.0",
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    "https://login.microsoftonline.com/{tenantid}/v2.0",
    "https://LOGIN.microsoftonline.com/common/v2.0",
  ];

  test.each(shared)("%s", (issuer) => {
    expectInvalid({ issuer }, "require");
    expectInvalid({ issuer, require: { email: "user@example.com" } }, "require");
    expect(refusalOf({ issuer, require: { owner: "7" } })).toBeUndefined();
  });

  test.each([
    `https://login.microsoftonline.com/${TENANT}/v2.0`,
    `https://sts.windows.net/${TENANT}/`,
    "https://gitlab.example",
  ])("and %s is not shared", (issuer) => {
    expect(refusalOf({ issuer })).toBeUndefined();
  });
});

test("what is not said is a sub, three algorithms, a minute and thirty days", () => {
  expect(checkOidcOptions(GOOD)).toMatchObject({
    user: "sub",
    algorithms: ["RS256", "ES256", "EdDSA"],
    acceptAudienceLists: false,
    clockToleranceSeconds: 60,
    agentTtlSeconds: 2_592_000,
    cacheMs: 600_000,
    staleMs: 4_200_000,
  });
});
