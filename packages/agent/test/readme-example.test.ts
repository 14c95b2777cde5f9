import { readFile } from "node:fs/promises";
import { fileStore, saveLogin } from "@countersign/agent-identity";
import { formatTimestamp } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { openParts } from "./examples/parts.js";
import { takeTurns } from "./examples/turns.js";
import { callerOf, startWorld } from "./world.js";

test("the README holds the examples as they are compiled", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  for (const name of ["turns", "parts"]) {
    const source = await readFile(new URL(`./examples/${name}.ts`, import.meta.url), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${source}\`\`\`\n`);
  }
});

test("the README's program takes its turns in one task, also when it is started again", async () => {
  const { authority, accessToken, api, home } = await startWorld();
  const turns = await takeTurns(authority.url, accessToken, api.url, home);
  const [first, second] = turns;
  expect(JSON.parse(first ?? "")).toMatchObject({ accountId: "acct-1", userId: "user-1" });
  expect(second).toBe(first);
  const requests = () => authority.requests.filter(({ step }) => step !== "directory").length;
  expect(requests()).toBe(3);
  expect(await takeTurns(authority.url, accessToken, api.url, home)).toEqual(turns);
  expect(requests()).toBe(3);
});

test("the README's parts, put together by hand, are the same agent in the same task", async () => {
  const { authority, accessToken, api, home, connect } = await startWorld();
  const thread = connect().thread("thread-42");
  const caller = await callerOf(thread.fetch(api.url));
  await saveLogin(fileStore(home), {
    authority: authority.url,
    account_id: "acct-1",
    user_id: "user-1",
    kind: "human",
    proof: "bearer",
    access_token: accessToken,
    logged_in_at: formatTimestamp(Date.now()),
  });
  const parts = openParts(authority.url, api.url, home);
  expect(await callerOf(parts.fetch(api.url))).toEqual(caller);
  await parts.tasks.close();
  await parts.identities.close();
});
