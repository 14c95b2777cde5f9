import { CountersignError, StoreError } from "@countersign/agent-key";
import { isCode } from "@countersign/agent-key/codes";
import { expect, test } from "vitest";
import * as authorityClient from "./authority-client.js";
import * as identityJwt from "./identity-jwt.js";
import * as index from "./index.js";

test("every exported error has a code, a name and a guard that accepts it alone", () => {
  const all = Object.entries({ ...index, ...authorityClient });
  const errors = all.filter(([name]) => name.endsWith("Error"));
  expect(errors.map(([name]) => name).sort()).toEqual(["AgentIdentityError", "AuthorityError"]);
  const classes = [index.AgentIdentityError, index.AuthorityError, StoreError];
  for (const one of classes) {
    const error = new one("timeout", "x");
    expect(isCode(error.code)).toBe(true);
    expect(error.name).toBe(one.brandName);
    expect(CountersignError.is(error)).toBe(true);
    for (const other of classes) expect(other.is(error)).toBe(other === one);
  }
});

test("an identity JWT error is an identity error, and holds its reason", () => {
  const errors = Object.keys(identityJwt).filter((name) => name.endsWith("Error"));
  expect(errors).toEqual(["IdentityJwtError"]);
  for (const reason of identityJwt.IDENTITY_JWT_REASONS) {
    const error = new identityJwt.IdentityJwtError(reason, "x");
    expect(isCode(error.code)).toBe(true);
    expect(error).toMatchObject({ name: "IdentityJwtError", reason });
    expect(index.AgentIdentityError.is(error)).toBe(true);
    expect(identityJwt.IdentityJwtError.is(error)).toBe(true);
    expect(index.AuthorityError.is(error)).toBe(false);
  }
  const other = new index.AgentIdentityError("malformed", "x");
  expect(identityJwt.IdentityJwtError.is(other)).toBe(false);
});
