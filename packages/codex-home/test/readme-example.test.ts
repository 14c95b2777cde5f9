import { readFile } from "node:fs/promises";
import { openAuthority } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { openCodexIdentities } from "./examples/codex-home.js";
import { createAuth, createTokens, openCodexHome } from "./support/codex-home.js";

const HUMAN = { accountId: "acct-1", userId: "user-1" };

test("the README holds the example as it is compiled", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("examples/codex-home.ts", import.meta.url), "utf8");
  expect(readme).toContain(example.trim());
});

test("the README's Codex home is an agent after one registration", async () => {
  const authority = await openAuthority();
  const tokens = createTokens("acct-1", "user-1", authority.addHuman(HUMAN));
  const { root, home } = await openCodexHome(createAuth({ tokens }), authority.url);
  for (let run = 0; run < 2; run += 1) {
    const identities = openCodexIdentities(authority.url, root, home);
    expect((await identities.ensure())?.agentRuntimeId).toBe("agent_1");
    await identities.close();
  }
  expect(authority.counts.registerAgent).toBe(1);
});
