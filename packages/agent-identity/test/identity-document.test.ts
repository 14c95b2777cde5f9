import { readFile } from "node:fs/promises";
import { fixedAuth } from "@countersign/agent-identity";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { openKeyringIdentities } from "./examples/keyring.js";
import { startProgram } from "./support/processes.js";

const HUMAN = { accountId: "acct-1", userId: "user-1" };

test.each(["keyring", "own-store"])(
  "docs/identity.md holds the example %s as it is compiled",
  async (name) => {
    const document = await readFile(new URL("../../../docs/identity.md", import.meta.url), "utf8");
    const source = await readFile(new URL(`examples/${name}.ts`, import.meta.url), "utf8");
    expect(document).toContain(source.trim());
  },
);

test("the keyring of docs/identity.md is opened by nothing but its use", async () => {
  const authority = await openAuthority();
  const auth = fixedAuth({ kind: "human", ...HUMAN, accessToken: authority.addHuman(HUMAN) });
  const identities = openKeyringIdentities(authority.url, auth, await openDirectory());
  await identities.close();
  expect(authority.requests).toEqual([]);
});

test("the store of docs/identity.md keeps the contract of credential stores, by the runner of Node", async () => {
  const running = await startProgram("../examples/own-store.ts");
  const { code, stdout } = await running.exited;
  expect(stdout).toContain("is empty before anything was written");
  expect(stdout).toMatch(/^\S+ pass [1-9]\d*$/m);
  expect({ code, failed: /^\S+ fail (\d+)$/m.exec(stdout)?.[1] }).toEqual({ code: 0, failed: "0" });
});
