import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { expect, onTestFinished, test } from "vitest";
import { useIdentityToken } from "./examples/identity-token.js";
import { logIn } from "./examples/log-in.js";

test.each([
  ["../README.md", "log-in.ts"],
  ["../../../docs/identity.md", "identity-token.ts"],
])("%s holds the example %s as it is compiled", async (path, name) => {
  const document = await readFile(new URL(path, import.meta.url), "utf8");
  const source = await readFile(new URL(`examples/${name}`, import.meta.url), "utf8");
  expect(document).toContain(source.trim());
});

test("the README's program registers once, also when it is started again", async () => {
  const authority = await openAuthority();
  const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const home = join(await openDirectory(), "home");
  const expected = /^agent_1 with ssh-ed25519 /;
  expect(await logIn(authority.url, home, token)).toMatch(expected);
  expect(await logIn(authority.url, home, token)).toMatch(expected);
  expect(authority.counts.registerAgent).toBe(1);
});

test("the program for identity tokens of docs/identity.md registers nothing, and takes one request", async () => {
  const authority = await openAuthority();
  const { token } = authority.issueIdentityToken({ accountId: "acct-1", userId: "user-1" });
  const identities = useIdentityToken(authority.url, async () => token);
  onTestFinished(() => identities.close());
  expect(await identities.ensure()).toMatchObject({ agentRuntimeId: "agent_1", userId: "user-1" });
  expect(authority.requests.map(({ step }) => step)).toEqual(["key_set"]);
});
