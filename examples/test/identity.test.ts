import { join } from "node:path";
import { fixedAuth } from "@countersign/agent-identity";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { expect, onTestFinished, test } from "vitest";
import { useIdentityJwt } from "../identity/identity-jwt.js";
import { openKeyringIdentities } from "../identity/keyring.js";
import { logIn } from "../identity/log-in.js";
import { contractOf } from "./contract-of.js";
import { HUMAN } from "./world.js";

test("the login registers once, also when it is started again", async () => {
  const authority = await openAuthority();
  const token = authority.addHuman(HUMAN);
  const home = join(await openDirectory(), "home");
  const expected = /^agent_1 with ssh-ed25519 /;
  expect(await logIn(authority.url, home, token)).toMatch(expected);
  expect(await logIn(authority.url, home, token)).toMatch(expected);
  expect(authority.counts.registerAgent).toBe(1);
});

test("the program for identity JWTs registers nothing, and takes one request", async () => {
  const authority = await openAuthority();
  const { token } = authority.issueIdentityJwt(HUMAN);
  const identities = useIdentityJwt(authority.url, async () => token);
  onTestFinished(() => identities.close());
  expect(await identities.ensure()).toMatchObject({ agentRuntimeId: "agent_1", userId: "user-1" });
  expect(authority.requests.map(({ step }) => step)).toEqual(["key_set"]);
});

test("the keyring is opened by nothing but its use", async () => {
  const authority = await openAuthority();
  const auth = fixedAuth({ kind: "human", ...HUMAN, accessToken: authority.addHuman(HUMAN) });
  const identities = openKeyringIdentities(authority.url, auth, await openDirectory());
  await identities.close();
  expect(authority.requests).toEqual([]);
});

test("the own store keeps the contract of credential stores, by the runner of Node", async () => {
  const { stdout, outcome } = await contractOf("../identity/own-store.ts");
  expect(stdout).toContain("is empty before anything was written");
  expect(outcome).toEqual({ code: 0, passed: expect.any(Number), failed: 0 });
});
