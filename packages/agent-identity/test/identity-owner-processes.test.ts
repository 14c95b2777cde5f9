import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { openAuthority, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentIdentityManager } from "../src/agent-identity-manager.js";
import { loginAuth, removeLogin, saveLogin } from "../src/login-auth.js";
import { fileStore } from "../src/store/file-store.js";
import { IDENTITY_STEPS, isSentBy } from "./support/identity-steps.js";
import { startProgram } from "./support/processes.js";

async function open() {
  const authority = await openAuthority();
  const home = join(await openDirectory(), "home");
  const store = fileStore(home);
  const file = join(home, "credentials.json");
  const logIn = async (accountId: string) => {
    const accessToken = authority.addHuman({ accountId, userId: "user-1" });
    await saveLogin(store, {
      authority: authority.url,
      account_id: accountId,
      user_id: "user-1",
      kind: "human",
      proof: "bearer",
      access_token: accessToken,
      logged_in_at: "2026-03-23T12:00:00Z",
    });
    return accessToken;
  };
  const token = await logIn("acct-1");
  /** Lets another process register up to a step, then acts, and returns what that process has in the end. */
  const atStep = async (step: string, act: () => Promise<unknown>) => {
    const other = await startProgram("register-step-by-step.ts", authority.url, home, step);
    await other.waitForLine(new RegExp(`^at ${step}$`));
    await act();
    other.write("\n");
    const { stdout, stderr } = await other.exited;
    expect(stderr).toBe("");
    return /^has (.*)$/m.exec(stdout)?.[1];
  };
  const manager = new AgentIdentityManager({
    authority: authority.url,
    auth: loginAuth(store, authority.url),
    store,
    features: { isEnabled: () => true },
  });
  return { authority, home, store, file, token, logIn, atStep, manager };
}

describe("while another process registers, at the step", () => {
  test.each(IDENTITY_STEPS)("%s, a logout stays a logout", async (step) => {
    const { authority, store, file, token, logIn, atStep, manager } = await open();
    expect(await atStep(step, () => removeLogin(store))).toBe("none");
    expect((await store.load()).login).toBeNull();
    expect(await readFile(file, "utf8")).not.toContain(token);
    expect(authority.requests).toHaveLength(isSentBy(step) ? 1 : 0);
    await logIn("acct-1");
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.requests).toHaveLength(1);
  });

  test.each(IDENTITY_STEPS)("%s, a login as somebody else stays that login", async (step) => {
    const { authority, store, logIn, atStep, manager } = await open();
    let token = "";
    const switchLogin = async () => {
      token = await logIn("acct-2");
    };
    expect(await atStep(step, switchLogin)).toBe("acct-2");
    expect((await store.load()).login).toMatchObject({
      account_id: "acct-2",
      access_token: token,
    });
    await logIn("acct-1");
    await manager.ensure();
    expect(authority.agents).toHaveLength(2);
    expect(authority.requests).toHaveLength(2);
  });

  test.each(IDENTITY_STEPS)("%s, a removed file does not come back", async (step) => {
    const { file, token, store, atStep } = await open();
    expect(await atStep(step, () => rm(file))).toBe("none");
    const { login, identities } = await store.load();
    expect(login).toBeNull();
    // A key that was made after the removal is a new one; no answer brings an old entry back.
    expect(identities.filter(({ state }) => state === "registered")).toEqual([]);
    const text = await readFile(file, "utf8").catch(() => "");
    expect(text).not.toContain(token);
  });

  test.each(IDENTITY_STEPS)(
    "%s, an identity that is being forgotten is gone in the end",
    async (step) => {
      const { authority, store, atStep, manager } = await open();
      let forgetting: Promise<boolean> | undefined;
      // Waits for the other process to be done, and so cannot be waited for here.
      await atStep(step, async () => {
        forgetting = manager.forget();
      });
      expect(await forgetting).toBe(true);
      expect((await store.load()).identities).toEqual([]);
      expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_2" });
      expect(authority.agents[0]?.publicKey).not.toBe(authority.agents[1]?.publicKey);
    },
  );
});
