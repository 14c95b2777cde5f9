import { createTestIdentityIssuer, FakeClock, type SignTokenOptions } from "@countersign/testing";
import { propertyRuns } from "@countersign/testing/effort";
import { expectRejection } from "@countersign/testing/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectTokenRefusal } from "../../test/support/expect-token-refusal.js";
import { AgentIdentityError } from "../agent-identity-error.js";
import { IdentityJwtError } from "./identity-jwt-error.js";
import { pinnedKeySet } from "./pinned-key-set.js";
import {
  CODEX_AUDIENCE,
  CODEX_ISSUER,
  type VerifyIdentityJwtOptions,
  verifyIdentityJwt,
} from "./verify-identity-jwt.js";

const V1 = "MC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
const V2 =
  "MFECAQEwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHgSEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";
const LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";

const clock = new FakeClock();
const START = clock.now() / 1000;
const issuer = createTestIdentityIssuer();
const stranger = createTestIdentityIssuer();
const CLAIMS = {
  iss: CODEX_ISSUER,
  aud: CODEX_AUDIENCE,
  iat: START - 10,
  exp: START + 3600,
  agent_runtime_id: "agent-1",
  agent_private_key: V2,
  account_id: "acct-1",
  chatgpt_user_id: "user-1",
  email: "user@mail.example",
  plan_type: "pro",
  chatgpt_account_is_fedramp: false,
};

function verify(token: string, options: Partial<VerifyIdentityJwtOptions> = {}) {
  return verifyIdentityJwt(token, {
    authority: "https://authority.example/",
    keySet: pinnedKeySet(issuer.keySet),
    now: clock.now,
    ...options,
  });
}

function makeToken(claims: object = {}, options?: SignTokenOptions, by = issuer): string {
  return by.sign({ ...CLAIMS, ...claims }, options);
}

describe("refuses a token", () => {
  test("that has not the form of one, before a key is asked for", async () => {
    const keySet = { ...pinnedKeySet(issuer.keySet), find: async () => [] };
    const [header = "", payload = "", signature = ""] = makeToken().split(".");
    const encode = (text: string) => Buffer.from(text).toString("base64url");
    const wrong = [
      "",
      "at-opaque-token",
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.${signature}`,
      ` ${header}.${payload}.${signature}`,
      `${header}.${payload}.${signature}\n`,
      `${header}=.${payload}.${signature}`,
      `${encode("{")}.${payload}.${signature}`,
      `${encode("[]")}.${payload}.${signature}`,
      `${encode("null")}.${payload}.${signature}`,
      `${Buffer.from([0xff]).toString("base64url")}.${payload}.${signature}`,
      `${header}.${payload}.${"A".repeat(65_536)}`,
    ];
    for (const token of wrong) {
      await expectTokenRefusal(
        verify(token, { keySet }),
        { reason: "malformed", code: "malformed" },
        [payload, V2],
      );
    }
  });

  test("of any algorithm but RS256, also where the set has a key of that id", async () => {
    const tokens = [
      makeToken({}, { algorithm: "none" }),
      makeToken({}, { algorithm: "HS256" }),
      makeToken({}, { header: { alg: "PS256" } }),
      makeToken({}, { header: { alg: "RS512" } }),
      makeToken({}, { header: { alg: "rs256" } }),
      makeToken({}, { header: { alg: undefined } }),
      makeToken({}, { header: { alg: ["RS256"] } }),
    ];
    for (const token of tokens) {
      await expectTokenRefusal(verify(token), { reason: "algorithm", code: "bad_signature" }, [
        token,
        V2,
      ]);
    }
  });

  test("without an algorithm, and says that there is none", async () => {
    const verifying = verify(makeToken({}, { header: { alg: undefined } }));
    await expect(verifying).rejects.toThrow("signed with nothing");
  });

  test("without a kid", async () => {
    for (const kid of [undefined, "", 1, null, "k".repeat(257)]) {
      const token = makeToken({}, { header: { kid } });
      await expectTokenRefusal(verify(token), { reason: "kid", code: "malformed" }, [token]);
    }
  });

  test("whose kid is not in the set, and says which one", async () => {
    const token = makeToken({}, { header: { kid: "other\u202e" } });
    const error = await expectTokenRefusal(verify(token), { reason: "kid", code: "bad_signature" });
    expect(error.message).toBe(`the identity JWT's kid "other\\u202e" is not trusted`);
  });

  test("whose kid names a key of another use or algorithm, a short key, or two keys", async () => {
    const [key] = issuer.keySet.keys;
    const [other] = stranger.keySet.keys;
    const sets = [
      [{ ...key, use: "enc" }],
      [{ ...key, alg: "RS512" }],
      [{ ...key, key_ops: ["encrypt"] }],
      [{ ...key, n: String(key?.n).slice(0, 170) }],
      [{ ...key, n: "!" }],
      [key, { ...other, kid: key?.kid }],
    ];
    for (const keys of sets) {
      const keySet = pinnedKeySet({ keys });
      const refused = verify(makeToken(), { keySet });
      await expectTokenRefusal(refused, { reason: "kid", code: "bad_signature" }, [V2]);
    }
  });

  test("that another issuer signed under the same kid", async () => {
    const token = makeToken({}, undefined, stranger);
    await expectTokenRefusal(verify(token), { reason: "signature", code: "bad_signature" }, [
      token,
      V2,
    ]);
  });

  test("that brings its own key along: jwk, jku, x5u and x5c of the header are not looked at", async () => {
    const [jwk] = stranger.keySet.keys;
    const header = {
      jwk,
      jku: "https://stranger.example/jwks",
      x5u: "https://stranger.example/x5u",
      x5c: ["MIIB"],
    };
    const token = makeToken({}, { header }, stranger);
    await expectTokenRefusal(verify(token), { reason: "signature", code: "bad_signature" });
    // And they spoil nothing where the signature holds.
    expect((await verify(makeToken({}, { header }))).claims.account_id).toBe("acct-1");
  });

  test("with a critical header that is not understood", async () => {
    const token = makeToken({}, { header: { crit: ["exp"], exp: 1 } });
    await expectTokenRefusal(verify(token), { reason: "malformed", code: "malformed" }, [V2]);
    const unencoded = makeToken({}, { header: { crit: ["b64"], b64: false } });
    await expect(verify(unencoded)).rejects.toSatisfy((error) => IdentityJwtError.is(error));
  });

  test("of another issuer", async () => {
    for (const iss of ["https://issuer.example", `${CODEX_ISSUER}/`, [CODEX_ISSUER], 7]) {
      const token = makeToken({ iss });
      await expectTokenRefusal(
        verify(token),
        { reason: "issuer", code: "unauthenticated", claim: "iss" },
        [token, V2],
      );
    }
    const error = await verify(makeToken(), { issuer: "https://issuer.example" }).catch(String);
    expect(error).toContain(`"${CODEX_ISSUER}", not of https://issuer.example`);
  });

  test("for another audience, or for several", async () => {
    for (const aud of ["other", [CODEX_AUDIENCE], [CODEX_AUDIENCE, "other"], {}]) {
      const token = makeToken({ aud });
      await expectTokenRefusal(
        verify(token),
        { reason: "audience", code: "unauthenticated", claim: "aud" },
        [token, V2],
      );
    }
  });

  test("for several audiences, also if a later claim is wrong too", async () => {
    for (const later of [{ exp: START - 3600 }, { nbf: START + 3600 }, { iat: "now" }]) {
      const token = makeToken({ aud: [CODEX_AUDIENCE], ...later });
      await expectTokenRefusal(
        verify(token),
        { reason: "audience", code: "unauthenticated", claim: "aud" },
        [token, V2],
      );
    }
  });

  test("that expired, from 60 seconds after its exp on", async () => {
    const inTime = makeToken({ exp: START - 59 });
    expect((await verify(inTime)).claims.exp).toBe(START - 59);
    for (const exp of [START - 60, START - 3600, 0, -1e300]) {
      const token = makeToken({ exp });
      const error = await expectTokenRefusal(
        verify(token),
        { reason: "expired", code: "agent_expired", claim: "exp" },
        [token, V2],
      );
      expect(error.retryable).toBe(false);
    }
    const strict = { clockToleranceSeconds: 0 };
    await expectTokenRefusal(verify(makeToken({ exp: START }), strict), {
      reason: "expired",
      code: "agent_expired",
      claim: "exp",
    });
    const error = await verify(makeToken({ exp: START - 3600 })).catch(String);
    expect(error).toContain("the identity JWT expired at 2026-03-23T11:00:00Z");
  });

  test("that is not valid yet", async () => {
    expect((await verify(makeToken({ nbf: START + 60 }))).identity.agentRuntimeId).toBe("agent-1");
    const refused = verify(makeToken({ nbf: START + 61 }));
    await expectTokenRefusal(refused, { reason: "claim", code: "not_yet_valid", claim: "nbf" }, [
      V2,
    ]);
  });

  test.each(Object.keys(CLAIMS).filter((claim) => claim !== "email"))(
    "without the claim %s, and names it",
    async (claim) => {
      const token = makeToken({ [claim]: undefined });
      const error = await expectTokenRefusal(
        verify(token),
        { reason: "claim", code: "malformed", claim },
        [token, ...(claim === "agent_private_key" ? [] : [V2])],
      );
      expect(error.message).toBe(`the identity JWT has no claim ${claim}`);
    },
  );

  test("with a claim that is not what it should be, and names it", async () => {
    const wrong = {
      iat: "now",
      exp: "later",
      agent_runtime_id: "../../x",
      agent_private_key: 7,
      account_id: "a b",
      chatgpt_user_id: "",
      email: 7,
      plan_type: null,
      chatgpt_account_is_fedramp: "false",
    };
    for (const [claim, value] of Object.entries(wrong)) {
      const token = makeToken({ [claim]: value });
      await expectTokenRefusal(verify(token), { reason: "claim", code: "malformed", claim }, [
        token,
      ]);
    }
    for (const id of ["", ".", "a:b", "a/b", "é", "x".repeat(257)]) {
      await expectTokenRefusal(verify(makeToken({ agent_runtime_id: id })), {
        reason: "claim",
        code: "malformed",
        claim: "agent_runtime_id",
      });
    }
    for (const time of [-1, 253_402_300_800]) {
      await expectTokenRefusal(verify(makeToken({ iat: time })), {
        reason: "claim",
        code: "malformed",
        claim: "iat",
      });
    }
  });

  test("whose key is not valid, without showing it", async () => {
    const otherHalf = `${V2.slice(0, -4)}0iw=`.replace("6kpsY", "6kpsZ");
    for (const key of ["no-key-at-all", V1.slice(0, -4), `${V1}AAAA`, otherHalf]) {
      const token = makeToken({ agent_private_key: key });
      await expectTokenRefusal(
        verify(token),
        { reason: "key", code: "invalid_key", claim: "agent_private_key" },
        [token, key],
      );
    }
  });

  test("in which any one character was changed", async () => {
    const token = makeToken();
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.constantFrom(...alphabet),
        async (at, character) => {
          fc.pre(token[at] !== character);
          const changed = token.slice(0, at) + character + token.slice(at + 1);
          await expect(verify(changed)).rejects.toSatisfy((error) => IdentityJwtError.is(error));
        },
      ),
      { numRuns: propertyRuns(200) },
    );
  });

  test("that is any text, with an error of its own", async () => {
    const part = fc.oneof(
      fc.base64String(),
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString("base64url")),
    );
    const text = fc.oneof(
      fc.string(),
      fc.tuple(part, part, part).map((parts) => parts.join(".")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        await expect(verify(token)).rejects.toSatisfy((error) => IdentityJwtError.is(error));
      }),
      { numRuns: propertyRuns(300) },
    );
  });
});

test("refuses a tolerance that is not valid, and an authority that is not a base URL", async () => {
  for (const clockToleranceSeconds of [-1, 301, Number.NaN]) {
    const refused = verify(makeToken(), { clockToleranceSeconds });
    await expectRejection(refused, AgentIdentityError, "config_invalid");
  }
  await expect(
    verify(makeToken(), { authority: "http://authority.example" }),
  ).rejects.toMatchObject({ code: "config_invalid" });
});

test("gives the agent of a sound token, for the authority it is told", async () => {
  for (const key of [V1, V2]) {
    const token = makeToken({ agent_private_key: key, unknown: { more: true } });
    const { identity, claims } = await verify(token);
    expect({ ...identity, key: identity.key.publicKey.line }).toEqual({
      authority: "https://authority.example",
      accountId: "acct-1",
      userId: "user-1",
      agentRuntimeId: "agent-1",
      key: LINE,
      registeredAt: "2026-03-23T11:59:50Z",
    });
    const { agent_private_key: _, ...open } = CLAIMS;
    expect(claims).toEqual(open);
  }
});

test("takes a token without an email, of an unknown plan, and for issuer and audience as told", async () => {
  const options = { issuer: "https://issuer.example", audience: "my-agent" };
  const token = makeToken({
    email: undefined,
    plan_type: "x",
    iss: options.issuer,
    aud: "my-agent",
  });
  expect((await verify(token, options)).claims).toMatchObject({ plan_type: "x", aud: "my-agent" });
});

test("takes fractions of a second in its times", async () => {
  const { identity, claims } = await verify(makeToken({ iat: START - 0.5, exp: START + 0.5 }));
  expect(identity.registeredAt).toBe("2026-03-23T11:59:59Z");
  expect(claims.exp).toBe(START + 0.5);
});
