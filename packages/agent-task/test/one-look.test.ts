import { spawnSync } from "node:child_process";
import {
  AgentIdentityManager,
  type CredentialStore,
  fileStore,
  loginAuth,
  memoryStore,
  saveLogin,
} from "@countersign/agent-identity";
import { startTestAuthority, temporaryDirectory } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentTaskError } from "../src/agent-task-error.js";
import { AgentTaskManager } from "../src/agent-task-manager.js";
import { openThread } from "./processes/open-thread.js";
import { programCommand, runProgram } from "./processes/run-source.js";

/** A home with a login, whose thread has its task stored. */
async function openHome(identities = 1) {
  const authority = await startTestAuthority();
  onTestFinished(() => authority.close());
  const directory = await temporaryDirectory();
  onTestFinished(() => directory.remove());
  const home = `${directory.path}/home`;
  const accessToken = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  authority.addHuman({ accountId: "acct-2", userId: "user-1", accessToken: "token-2" });
  const store = fileStore(home);
  await saveLogin(store, {
    authority: authority.url,
    account_id: "acct-1",
    user_id: "user-1",
    kind: "human",
    proof: "bearer",
    access_token: accessToken,
    logged_in_at: "2026-03-23T12:00:00Z",
  });
  const thread = openThread("login", authority.url, home, accessToken);
  await thread.ensure();
  await store.update((current) => {
    const [own] = current.identities;
    if (own === undefined) return undefined;
    const others = Array.from({ length: identities - 1 }, (_, i) => ({
      ...own,
      user_id: `other-${i}`,
    }));
    return { ...current, identities: [...others, own] };
  });
  return { authority, home, accessToken, store, thread };
}

describe("while nothing changes", () => {
  it.each([
    ["the login in the home", "login", 1],
    ["the login in the home", "login", 5_000],
    ["the program's own login", "slot", 1],
    ["the program's own login", "slot", 5_000],
  ])(
    "a request looks at folder and file once, and does nothing else that has to be waited for: %s (%s), %i identities",
    async (_, kind, count) => {
      const { authority, home, accessToken } = await openHome(count);
      const sent = authority.requests.length;
      const args = [kind, authority.url, home, accessToken];
      const { stdout, stderr } = await runProgram("count-turns.ts", args);
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual({
        requests: [{ calls: { lstatSync: 2 }, resources: {} }],
        // The request that a turn begins with is served by the turn's own look.
        turns: [{ calls: { lstatSync: 2 }, resources: {} }],
      });
      expect(authority.requests).toHaveLength(sent);
    },
  );

  it("a store of the program's own is loaded once for each request", async () => {
    const { authority, accessToken } = await openHome();
    const inner = memoryStore();
    let loads = 0;
    const store: CredentialStore = {
      description: "a store of the program's own",
      load() {
        loads += 1;
        return inner.load();
      },
      update: (change) => inner.update(change),
      withLock: (name, run) => inner.withLock(name, run),
    };
    await saveLogin(store, {
      authority: authority.url,
      account_id: "acct-1",
      user_id: "user-1",
      kind: "human",
      proof: "bearer",
      access_token: accessToken,
      logged_in_at: "2026-03-23T12:00:00Z",
    });
    const identities = new AgentIdentityManager({
      authority: authority.url,
      auth: loginAuth(store, authority.url),
      store,
    });
    const thread = new AgentTaskManager({ identities }).thread("thread-1");
    const first = await thread.credential();
    loads = 0;
    expect(await thread.credential()).toBe(first);
    expect(loads).toBe(1);
  });
});

describe("what another process changes between a turn's begin and its request", () => {
  // Synchronous: not one event of this process lies between the two.
  const change = (home: string, name: string, authority: string) => {
    const [command = "", ...args] = programCommand("change-home.ts", [
      home,
      name,
      authority,
      "token-2",
    ]);
    const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  };
  const accountOf = (opened: Awaited<ReturnType<typeof openHome>>, agentRuntimeId: string) =>
    opened.authority.agents.find((agent) => agent.agentRuntimeId === agentRuntimeId)?.accountId;

  it("a logout: the request is not authorised, and no turn begins after it (G-H4)", async () => {
    const { thread, home, authority } = await openHome();
    await thread.run(async () => {
      change(home, "logout", authority.url);
      await expectRejection(thread.credential(), AgentTaskError, "not_logged_in");
    });
    let turns = 0;
    const turn = thread.run(async () => {
      turns += 1;
    });
    await expectRejection(turn, AgentTaskError, "not_logged_in");
    expect(turns).toBe(0);
  });

  it.each(["login", "edit"])("another login (%s): the request is that login's", async (name) => {
    const opened = await openHome();
    const { thread, home, authority } = opened;
    const agents = await thread.run(async ({ task }) => {
      change(home, name, authority.url);
      const credential = await thread.credential();
      return [task?.agentRuntimeId, credential.kind === "agent" ? credential.agentRuntimeId : ""];
    });
    expect(agents.map((id) => accountOf(opened, id ?? ""))).toEqual(["acct-1", "acct-2"]);
  });

  it("a forgotten identity: the request is another agent's", async () => {
    const { thread, home, authority } = await openHome();
    await thread.run(async ({ task }) => {
      change(home, "forget", authority.url);
      const credential = await thread.credential();
      expect(credential).not.toMatchObject({ agentRuntimeId: task?.agentRuntimeId });
    });
  });
});
