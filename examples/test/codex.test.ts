import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { openCodexIdentities } from "../codex/codex-home.js";
import { HUMAN } from "./world.js";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** `auth.json` after a login. */
function loggedIn(accessToken: string) {
  const claims = { "https://api.openai.com/auth": { chatgpt_user_id: HUMAN.userId } };
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: {
      id_token: `${part({ alg: "none" })}.${part(claims)}.c2lnbmF0dXJl`,
      access_token: accessToken,
      refresh_token: "refresh",
      account_id: HUMAN.accountId,
    },
    last_refresh: "2026-03-23T12:00:00.123456Z",
  };
}

test("a Codex home is an agent after one registration", async () => {
  const authority = await openAuthority();
  const root = await openDirectory();
  const auth = JSON.stringify(loggedIn(authority.addHuman(HUMAN)));
  await writeFile(join(root, "auth.json"), auth, { mode: 0o600 });
  for (let run = 0; run < 2; run += 1) {
    const identities = openCodexIdentities(authority.url, root, join(root, "home"));
    expect((await identities.ensure())?.agentRuntimeId).toBe("agent_1");
    await identities.close();
  }
  expect(authority.counts.registerAgent).toBe(1);
});
