import { describe, expect, test } from "vitest";
import { readTokenClaims, readTokenEnd } from "./token-claims.js";

const CLAIM = "https://api.openai.com/auth";
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokenWith = (payload: unknown): string =>
  `${encode({ alg: "RS256" })}.${encode(payload)}.c2ln`;

describe("a token without usable claims names no user", () => {
  test.each([
    { what: "an opaque token", token: "cs_human_abc" },
    { what: "three parts that are no JSON", token: "a.b.c" },
    { what: "other claims", token: tokenWith({ sub: "user-1" }) },
    { what: "one claim of two", token: tokenWith({ [CLAIM]: { chatgpt_account_id: "acct-1" } }) },
    {
      what: "an account that cannot be one",
      token: tokenWith({ [CLAIM]: { chatgpt_account_id: "a b", chatgpt_user_id: "u" } }),
    },
    {
      what: "a number",
      token: tokenWith({ [CLAIM]: { chatgpt_account_id: 1, chatgpt_user_id: "u" } }),
    },
    { what: "null", token: tokenWith(null) },
  ])("ignores $what", ({ token }) => {
    expect(readTokenClaims(token)).toBeUndefined();
  });
});

test("reads account and user of a JWT", () => {
  const token = tokenWith({ [CLAIM]: { chatgpt_account_id: "acct-1", chatgpt_user_id: "user-1" } });
  expect(readTokenClaims(token)).toEqual({ accountId: "acct-1", userId: "user-1" });
});

describe("the end of a token", () => {
  const jwt = (payload: unknown) =>
    `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.c2ln`;

  test.each(["cs_rs_x", "a.b", "a.b.c", jwt(null), jwt({}), jwt({ exp: "1" }), jwt({ exp: null })])(
    "is not known of %s",
    (token) => {
      expect(readTokenEnd(token)).toBeUndefined();
    },
  );

  test("is the exp of a JWT, in milliseconds", () => {
    expect(readTokenEnd(jwt({ exp: 1_800_000_000 }))).toBe(1_800_000_000_000);
  });
});
