import { createHmac, createPublicKey } from "node:crypto";
import { CompactSign, type CryptoKey, exportSPKI, importJWK } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentAuthorityError } from "../src/agent-authority-error.js";
import { createOidcIssuer } from "../src/humans/create-oidc-issuer.js";
import type { OidcIssuerOptions } from "../src/humans/oidc-issuer-options.js";
import { describeTokenRefusal, showSeen } from "../src/humans/token-refusal.js";
import {
  AUDIENCE,
  encodeToken,
  generateIssuerKey,
  LocalIssuer,
  NOON,
  NOON_SECONDS,
  type TokenParts,
} from "./local-issuer.js";

// The shapes that these issuers document, with the settings of docs/oidc.md.
const ISSUERS: readonly {
  readonly issuer: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly header: Readonly<Record<string, unknown>>;
  readonly options: Partial<OidcIssuerOptions>;
  readonly is: object;
  readonly lacks: Readonly<Record<string, unknown>>;
}[] = [
  {
    issuer: "Auth0",
    claims: {
      sub: "auth0|5f7c8ec7c33c6c004bbafe82",
      aud: [AUDIENCE, "https://tenant.eu.auth0.com/userinfo"],
      azp: "my_client_id",
      scope: "openid profile",
    },
    header: { typ: "JWT" },
    options: { acceptAudienceLists: true },
    is: { userId: "local:auth0|5f7c8ec7c33c6c004bbafe82" },
    lacks: { aud: ["https://tenant.eu.auth0.com/userinfo"] },
  },
  {
    issuer: "Keycloak",
    claims: {
      sub: "f1b8b4c2-5d8f-4d05-9d84-6c5c7f1a2b3c",
      aud: [AUDIENCE, "account"],
      typ: "Bearer",
      azp: "countersign",
      realm_access: { roles: ["offline_access", "agents"] },
      preferred_username: "ada",
    },
    header: { typ: "JWT" },
    options: { acceptAudienceLists: true, require: { "realm_access.roles": "agents" } },
    is: { userId: "local:f1b8b4c2-5d8f-4d05-9d84-6c5c7f1a2b3c" },
    lacks: { realm_access: { roles: ["offline_access"] } },
  },
  {
    issuer: "Okta",
    claims: {
      ver: 1,
      jti: "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
      cid: "0oa2hl2inow5Uqc6c357",
      uid: "00u1hm4i3dEmRSJ7S357",
      sub: "ada@example.com",
    },
    header: {},
    options: { user: "uid" },
    is: { userId: "local:00u1hm4i3dEmRSJ7S357" },
    // A service's token is of no user.
    lacks: { uid: undefined },
  },
  {
    issuer: "Entra ID to an app alone",
    claims: {
      ver: "2.0",
      idtyp: "app",
      azp: "6731de76-14a6-49ae-97bc-6eba6914391e",
      azpacr: "1",
      oid: "8f2ab9c4-0c4e-4d5f-8c0e-0f9b1c2d3e4f",
      sub: "8f2ab9c4-0c4e-4d5f-8c0e-0f9b1c2d3e4f",
      tid: "b9419818-09af-49c2-b0c3-653adc1f376e",
      roles: ["Agents.Register"],
    },
    header: { typ: "JWT" },
    options: { user: "oid", require: { idtyp: "app", roles: "Agents.Register" } },
    is: { userId: "local:8f2ab9c4-0c4e-4d5f-8c0e-0f9b1c2d3e4f" },
    lacks: { roles: undefined },
  },
  {
    issuer: "GitLab",
    claims: {
      sub: "project_path:my-group/my-project:ref_type:branch:ref:main",
      namespace_id: "72",
      namespace_path: "my-group",
      project_id: "20",
      project_path: "my-group/my-project",
      user_login: "ada",
      ref: "main",
      ref_protected: "true",
      runner_environment: "gitlab-hosted",
    },
    header: { typ: "JWT" },
    options: { user: "project_id", require: { namespace_id: "72", ref_protected: "true" } },
    is: { userId: "local:20" },
    lacks: { namespace_id: "73" },
  },
];

let local: LocalIssuer;

beforeEach(async () => {
  local = await LocalIssuer.start();
});
afterEach(() => local[Symbol.asyncDispose]());

async function authenticate(token: string, options: Partial<OidcIssuerOptions> = {}) {
  return createOidcIssuer(local.options(options)).authenticate(token, NOON);
}

async function expectRefused(
  token: string,
  reason: string,
  options: Partial<OidcIssuerOptions> = {},
): Promise<void> {
  const error: unknown = await authenticate(token, options).then(
    () => expect.unreachable("taken"),
    (thrown: unknown) => thrown,
  );
  expect(AgentAuthorityError.is(error), String(error)).toBe(true);
  expect(error).toMatchObject({ code: "unauthenticated", retryable: false });
  expect(describeTokenRefusal(error)).toBe(`oidc local: ${reason}`);
  // The refusal does not disclose the reason to the client. Neither it nor its cause discloses anything from the token.
  const { message, hint, cause } = error as AgentAuthorityError;
  expect(`${message} ${hint}`).not.toContain(reason);
  const told = [message, hint, String(cause), JSON.stringify(cause), JSON.stringify(error)].join();
  for (const part of token.split(".").filter((each) => each.length > 8)) {
    expect(told).not.toContain(part);
  }
  expect((cause as Error).cause).toBeUndefined();
}

const signed = (parts?: TokenParts) => local.token(parts);
// 21 kB in a token.
const DEEP = "[".repeat(8_000) + "]".repeat(8_000);

describe("rejects a token", () => {
  test.each([
    ["signed for another audience", { claims: { aud: "https://other.example" } }, "audience"],
    ["without an audience", { claims: { aud: undefined } }, "audience"],
    ["whose audience only begins alike", { claims: { aud: `${AUDIENCE}/` } }, "audience"],
    ["for others as well", { claims: { aud: [AUDIENCE, "https://other.example"] } }, "audience"],
    ["for no audience", { claims: { aud: [] } }, "audience"],
    ["that has expired", { claims: { exp: NOON_SECONDS - 60 } }, "expired"],
    ["that never expires", { claims: { exp: undefined } }, "expired"],
    ["whose expiry is a text", { claims: { exp: "2099-01-01" } }, "expired"],
    ["that does not hold yet", { claims: { nbf: NOON_SECONDS + 61 } }, "not_yet_valid"],
    ["without a user", { claims: { sub: undefined } }, "user sub"],
    ["whose user is empty", { claims: { sub: "" } }, "user sub"],
    ["whose user is a number", { claims: { sub: 7 } }, "user sub"],
    ["whose user is no id", { claims: { sub: "two words" } }, "user sub"],
    ["whose user is too long for an id", { claims: { sub: "a".repeat(251) } }, "user sub"],
    ["that needs a key shown", { claims: { cnf: { jkt: "a" } } }, "claim cnf"],
    ["that is a logout token", { claims: { events: {} } }, "type"],
    ["of another type", { header: { typ: "logout+jwt" } }, "type"],
    ["whose type is no text", { header: { typ: 7 } }, "type"],
    ["that names another key", { header: { kid: "key-2" } }, "kid"],
    ["whose key id is empty", { header: { kid: "" } }, "kid"],
    [
      "with an extension that the authority does not support",
      { header: { crit: ["exp"], exp: 1 } },
      "malformed",
    ],
  ])("%s", async (_, parts: TokenParts, reason) => {
    const critical = parts.header !== undefined && "crit" in parts.header;
    const token = critical ? await withHeader(parts.header) : await signed(parts);
    await expectRefused(token, reason);
  });

  test.each([
    ["alg", "algorithm"],
    ["typ", "type"],
    ["kid", "kid"],
  ])("whose %s is nested as deep as a token has room for", async (member, reason) => {
    const header = `{"alg":"ES256","kid":"key-1","${member}":${DEEP}}`;
    const [, ...rest] = (await signed()).split(".");
    await expectRefused([Buffer.from(header).toString("base64url"), ...rest].join("."), reason);
  });

  test("with claims that are nested as deep as a token has room for", async () => {
    const { alg, kid, privateKey } = local.key;
    const claims = `{"iss":"${local.url}","aud":"${AUDIENCE}","exp":${NOON_SECONDS + 600},"sub":${DEEP}}`;
    const token = await new CompactSign(Buffer.from(claims))
      .setProtectedHeader({ alg, kid })
      .sign(privateKey);
    await expectRefused(token, "user sub");
    await expectRefused(token, "required sub", { require: { sub: "user-1" } });
  });

  test("signed by a stranger under the name of the issuer's key", async () => {
    const key = await generateIssuerKey("key-1");
    await expectRefused(await signed({ key }), "signature");
  });

  test("with one character of its claims changed", async () => {
    const [header, payload = "", signature] = (await signed()).split(".");
    const changed = Buffer.from(payload, "base64url").toString().replace("user-1", "user-2");
    const token = [header, Buffer.from(changed).toString("base64url"), signature].join(".");
    await expectRefused(token, "signature");
  });

  test("that names no key, of an issuer with several", async () => {
    local.keys = [local.key, await generateIssuerKey("key-2")];
    await expectRefused(await signed({ header: { kid: undefined } }), "kid");
  });

  test("whose required member of a claim is missing, another, or not in an object of the token's own", async () => {
    const require = { "realm_access.roles": "agents" };
    for (const realm_access of [
      undefined,
      null,
      "roles",
      { roles: ["others"] },
      { roles: { agents: true } },
    ]) {
      const token = await signed({ claims: { realm_access } });
      await expectRefused(token, "required realm_access.roles", { require });
    }
    const inherited = { require: { "realm_access.constructor.name": "Object" } };
    const token = await signed({ claims: { realm_access: {} } });
    await expectRefused(token, "required realm_access.constructor.name", inherited);
  });

  test("that is not signed", async () => {
    const claims = await claimsOf(signed());
    for (const alg of ["none", "None", undefined]) {
      await expectRefused(encodeToken({ alg, kid: "key-1" }, claims, "a"), "algorithm");
    }
    // An empty signature is no compact form at all.
    expect(await authenticate(encodeToken({ alg: "none" }, claims, ""))).toBeUndefined();
  });

  test("signed with the public key as if it were a secret (G-A3)", async () => {
    local.keys = [await generateIssuerKey("key-1", "RS256")];
    const publicKey = (await importJWK(local.key.publicJwk, "RS256")) as CryptoKey;
    const header = { alg: "HS256", kid: "key-1" };
    const text = encodeToken(header, await claimsOf(signed()), "x").replace(/\.[^.]*$/, "");
    for (const secret of [
      await exportSPKI(publicKey),
      createPublicKey({ key: local.key.publicJwk, format: "jwk" }).export({
        type: "spki",
        format: "der",
      }),
    ]) {
      const mac = createHmac("sha256", secret).update(text).digest("base64url");
      await expectRefused(`${text}.${mac}`, "algorithm");
    }
  });

  test("signed with an algorithm that is not listed", async () => {
    await expectRefused(await signed(), "algorithm", { algorithms: ["RS256"] });
    local.keys = [await generateIssuerKey("key-1", "PS256")];
    await expectRefused(await signed(), "algorithm");
  });

  test("signed with an algorithm that the key is not for", async () => {
    const key = await generateIssuerKey("key-1", "RS512");
    local.keys = [key];
    const token = await signed();
    local.answerKeys([{ ...key.publicJwk, alg: "RS256" }]);
    await expectRefused(token, "signature", { algorithms: ["RS256", "RS512"] });
  });

  test("signed with a key that is for encryption", async () => {
    local.answerKeys([{ ...local.key.publicJwk, use: "enc" }]);
    await expectRefused(await signed(), "signature");
  });

  test("signed with a key whose private half is published", async () => {
    local.answerKeys([{ ...local.key.publicJwk, d: "AAAA" }]);
    await expectRefused(await signed(), "kid");
  });

  test("whose header brings a key, or the URL of one, and sends no request to that URL (G-A3)", async () => {
    await using elsewhere = await LocalIssuer.start();
    const key = await generateIssuerKey("key-1");
    elsewhere.keys = [key];
    for (const header of [
      { jku: `${elsewhere.url}/keys` },
      { x5u: `${elsewhere.url}/keys` },
      { jwk: key.publicJwk },
    ]) {
      await expectRefused(await signed({ key, header }), "signature");
    }
    expect(elsewhere.requests).toEqual([]);
  });

  test("whose required claim is missing, another, or of another type", async () => {
    const require = { owner: ["7", "8"], verified: true };
    const good = { owner: "8", verified: true };
    await expect(authenticate(await signed({ claims: good }), { require })).resolves.toBeDefined();
    for (const [claims, claim] of [
      [{ owner: undefined }, "owner"],
      [{ owner: "9" }, "owner"],
      [{ owner: 7 }, "owner"],
      [{ owner: ["9"] }, "owner"],
      [{ owner: "78" }, "owner"],
      [{ verified: "true" }, "verified"],
      [{ verified: false }, "verified"],
    ] as const) {
      const token = await signed({ claims: { ...good, ...claims } });
      await expectRefused(token, `required ${claim}`, { require });
    }
  });

  test("whose account is missing or not in the list (G-A4)", async () => {
    const account = { claim: "tid", allowed: ["a", "b"] };
    for (const tid of [undefined, "c", "", 7, ["a"], "a,b", "constructor"]) {
      await expectRefused(await signed({ claims: { tid } }), "account tid", { account });
    }
  });

  test("that has a required claim only by the language's own objects", async () => {
    const account = { claim: "constructor", allowed: ["a"] };
    await expectRefused(await signed(), "account constructor", { account });
  });
});

test.each([
  ["a", '"a"'],
  [7, "7"],
  [null, "null"],
  [undefined, undefined],
  [["a", 7, null], '["a",7,null]'],
  [["a", ["b"], { c: 1 }], '["a","[…]","{…}"]'],
  [{ a: 1 }, '"{…}"'],
])("the operator is shown of %j: %s", (value, shown) => {
  expect(showSeen(value)).toBe(shown);
});

test("the operator is shown 200 characters at most", () => {
  expect(showSeen("a".repeat(300))).toBe(`"${"a".repeat(199)}`);
});

describe("looks at no token but its own:", () => {
  test.each([
    ["another issuer's", { iss: "https://login.example" }],
    ["one without an issuer", { iss: undefined }],
    ["one that ends otherwise", { iss: "/" }],
    ["one whose issuer is a list", { iss: ["a"] }],
  ])("%s", async (_, { iss }) => {
    const claims = { iss: iss === "/" ? `${local.url}/` : iss };
    expect(await authenticate(await signed({ claims }))).toBeUndefined();
    expect(local.requests).toEqual([]);
  });

  test.each(["", "t0ken", "a.b.c", "e30.e30.c2ln", "e30.bnVsbA.c2ln", "a.b.c.d.e"])(
    "%j",
    async (token) => {
      expect(await authenticate(token)).toBeUndefined();
      expect(local.requests).toEqual([]);
    },
  );

  test("what is longer than any header", async () => {
    const token = await signed({ claims: { filler: "a".repeat(32_768) } });
    expect(await authenticate(token)).toBeUndefined();
    expect(local.requests).toEqual([]);
  });
});

describe("takes a token", () => {
  test("and gives its user under the issuer's name, in the operator's account", async () => {
    expect(await authenticate(await signed())).toEqual({
      accountId: "acct-1",
      userId: "local:user-1",
      actor: "oidc:local",
      agentTtlSeconds: 2_592_000,
    });
  });

  test("and gives its account under the issuer's name, by the claims that were chosen", async () => {
    const claims = { oid: "0b5c", tid: "b" };
    const account = { claim: "tid", allowed: ["a", "b"] };
    const options = { user: "oid", account, agentTtlSeconds: 60 };
    expect(await authenticate(await signed({ claims }), options)).toEqual({
      accountId: "local:b",
      userId: "local:0b5c",
      actor: "oidc:local",
      agentTtlSeconds: 60,
    });
  });

  test("that names no key, of an issuer with a single one, with an id or without", async () => {
    const token = await signed({ header: { kid: undefined } });
    expect(await authenticate(token)).toBeDefined();
    const { kid: _, ...nameless } = local.key.publicJwk;
    local.answerKeys([nameless]);
    expect(await authenticate(token)).toBeDefined();
  });

  test("of 32 kB, as with hundreds of groups", async () => {
    const groups = Array.from({ length: 600 }, (_, index) => `${index}`.padStart(36, "0"));
    const token = await signed({ claims: { groups } });
    expect(token.length).toBeGreaterThan(30_000);
    expect(await authenticate(token)).toBeDefined();
  });

  test("whose required claim has dots in its name, before the member that they lead to", async () => {
    const require = { "realm_access.roles": "agents" };
    const nested = { realm_access: { roles: ["agents"] } };
    expect(await authenticate(await signed({ claims: nested }), { require })).toBeDefined();
    const named = { "realm_access.roles": "agents" };
    expect(await authenticate(await signed({ claims: named }), { require })).toBeDefined();
    const both = { ...nested, "realm_access.roles": "others" };
    await expectRefused(await signed({ claims: both }), "required realm_access.roles", { require });
  });

  test("whose required claim is a list that has the value", async () => {
    const token = await signed({ claims: { groups: ["all", "agents"] } });
    const require = { groups: "agents" };
    expect(await authenticate(token, { require })).toMatchObject({ userId: "local:user-1" });
  });

  test.each(["RS256", "PS256", "ES256", "ES384", "EdDSA"] as const)("signed by %s", async (alg) => {
    local.keys = [await generateIssuerKey("key-1", alg)];
    expect(await authenticate(await signed(), { algorithms: [alg] })).toBeDefined();
  });

  test.each(["JWT", "at+jwt", "application/at+jwt", "AT+JWT"])("of the type %s", async (typ) => {
    expect(await authenticate(await signed({ header: { typ } }))).toBeDefined();
  });

  test("within the tolerance of the clocks, and not a second later (G-A3)", async () => {
    const clockToleranceSeconds = 10;
    const late = await signed({ claims: { exp: NOON_SECONDS - 9 } });
    const early = await signed({ claims: { nbf: NOON_SECONDS + 10 } });
    expect(await authenticate(late, { clockToleranceSeconds })).toBeDefined();
    expect(await authenticate(early, { clockToleranceSeconds })).toBeDefined();
    const over = await signed({ claims: { exp: NOON_SECONDS - 10 } });
    await expectRefused(over, "expired", { clockToleranceSeconds });
    const before = await signed({ claims: { nbf: NOON_SECONDS + 11 } });
    await expectRefused(before, "not_yet_valid", { clockToleranceSeconds });
  });

  test("whose audience is a list of one, and of several where the operator says so", async () => {
    expect(await authenticate(await signed({ claims: { aud: [AUDIENCE] } }))).toBeDefined();
    const several = await signed({ claims: { aud: ["https://other.example", AUDIENCE] } });
    expect(await authenticate(several, { acceptAudienceLists: true })).toBeDefined();
    const others = await signed({ claims: { aud: ["https://other.example"] } });
    await expectRefused(others, "audience", { acceptAudienceLists: true });
  });

  test("of either of two keys with one id", async () => {
    const other = await generateIssuerKey("key-1");
    local.keys = [other, local.key];
    expect(await authenticate(await signed())).toBeDefined();
    expect(await authenticate(await signed({ key: local.keys[1] as never }))).toBeDefined();
    await expectRefused(await signed({ claims: { exp: 1 } }), "expired");
  });

  test.each(ISSUERS)("as $issuer makes it", async ({ claims, header, options, is }) => {
    const token = await signed({ claims: { aud: AUDIENCE, ...claims }, header });
    expect(await authenticate(token, options)).toMatchObject(is);
  });

  test.each(ISSUERS)(
    "as $issuer makes it, and not one that lacks what is required",
    async (row) => {
      const { claims, header, options, lacks } = row;
      const token = await signed({ claims: { aud: AUDIENCE, ...claims, ...lacks }, header });
      await expect(authenticate(token, options)).rejects.toMatchObject({ code: "unauthenticated" });
    },
  );

  test("as GitHub Actions make them, of one organisation's repositories (G-A5)", async () => {
    const github = {
      user: "repository_id",
      require: { repository_owner_id: "65" },
      algorithms: ["RS256"] as const,
      name: "github",
    };
    local.keys = [await generateIssuerKey("38826b17", "RS256")];
    const token = (more: object) => signed({ claims: { ...GITHUB_CLAIMS, ...more } });
    expect(await authenticate(await token({}), github)).toMatchObject({
      accountId: "acct-1",
      userId: "github:74",
      actor: "oidc:github",
    });
    // Somebody else's organisation that took the name.
    const stolen = await token({ repository_owner_id: "66" });
    await expect(authenticate(stolen, github)).rejects.toMatchObject({ code: "unauthenticated" });
  });
});

// What GitHub documents for an environment's deployment.
const GITHUB_CLAIMS = {
  jti: "example-id",
  sub: "repo:octo-org/octo-repo:environment:prod",
  environment: "prod",
  ref: "refs/heads/main",
  sha: "example-sha",
  repository: "octo-org/octo-repo",
  repository_owner: "octo-org",
  actor_id: "12",
  repository_visibility: "private",
  repository_id: "74",
  repository_owner_id: "65",
  run_id: "example-run-id",
  run_number: "10",
  run_attempt: "2",
  runner_environment: "github-hosted",
  actor: "octocat",
  workflow: "example-workflow",
  head_ref: "",
  base_ref: "",
  event_name: "workflow_dispatch",
  ref_type: "branch",
  job_workflow_ref: "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
};

async function claimsOf(token: Promise<string>): Promise<object> {
  return JSON.parse(Buffer.from((await token).split(".")[1] ?? "", "base64url").toString());
}

// No library signs what it does not understand.
async function withHeader(more: object): Promise<string> {
  const claims = await claimsOf(signed());
  const text = encodeToken({ alg: "ES256", kid: "key-1", ...more }, claims, "x");
  const signedText = text.replace(/\.[^.]*$/, "");
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    local.key.privateKey as never,
    new TextEncoder().encode(signedText),
  );
  return `${signedText}.${Buffer.from(signature).toString("base64url")}`;
}
