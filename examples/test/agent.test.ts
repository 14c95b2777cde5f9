import { createVerifier } from "@countersign/agent-assertion";
import { requireAgent } from "@countersign/agent-assertion/node";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { fileStore, saveLogin } from "@countersign/agent-identity";
import { formatTimestamp } from "@countersign/agent-key";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { openParts } from "../agent/parts.js";
import { takeTurns } from "../agent/turns.js";
import { HUMAN, serve } from "./world.js";

/** An authority, and an API that answers who called. */
async function start() {
  const authority = await openAuthority();
  const verifier = createVerifier({ directory: remoteDirectory(authority.url) });
  const api = await serve(
    requireAgent(verifier, (_request, response, { accountId, userId, agentRuntimeId, taskId }) => {
      response.end(JSON.stringify({ accountId, userId, agentRuntimeId, taskId }));
    }),
  );
  const home = `${await openDirectory()}/home`;
  return { authority, api, home, accessToken: authority.addHuman(HUMAN) };
}

test("the program takes its turns in one task, also when it is started again", async () => {
  const { authority, accessToken, api, home } = await start();
  const turns = await takeTurns(authority.url, accessToken, api, home);
  const [first, second] = turns;
  expect(JSON.parse(first ?? "")).toMatchObject({ ...HUMAN });
  expect(second).toBe(first);
  const requests = () => authority.requests.filter(({ step }) => step !== "directory").length;
  expect(requests()).toBe(3);
  expect(await takeTurns(authority.url, accessToken, api, home)).toEqual(turns);
  expect(requests()).toBe(3);
});

test("the parts, put together by hand, are the same agent in the same task", async () => {
  const { authority, accessToken, api, home } = await start();
  const [turn] = await takeTurns(authority.url, accessToken, api, home);
  await saveLogin(fileStore(home), {
    authority: authority.url,
    account_id: HUMAN.accountId,
    user_id: HUMAN.userId,
    kind: "human",
    proof: "bearer",
    access_token: accessToken,
    logged_in_at: formatTimestamp(Date.now()),
  });
  const parts = openParts(authority.url, api, home);
  expect(await (await parts.fetch(api)).text()).toBe(turn);
  await parts.tasks.close();
  await parts.identities.close();
});
