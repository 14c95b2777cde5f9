import { chmod, lstat, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import type { StoredIdentity } from "@countersign/agent-identity";
import { StoreError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import {
  CODEX_KEY,
  createAuth,
  createToken,
  IDENTITY_A,
  IDENTITY_C,
  openCodexHome,
} from "../test/support/codex-home.js";
import { loadCodexAgent } from "./load-codex-agent.js";
import { removeCodexTask } from "./remove-codex-task.js";
import { type FoundCodexAuth, renewCodexLogin } from "./renew-codex-login.js";
import { saveCodexAgent } from "./save-codex-agent.js";

const TASK = { agentRuntimeId: "agent_c", taskId: "task_1" };
// Members and numbers that a parse would change.
const ODD = '{"z":1.0,"tokens":{"b":12345678901234567890,"a":"\\u0041"}';

describe("the agent of a Codex home", () => {
  test("is refused at a relative path, and where it has no form of any generation", async () => {
    await expectRejection(loadCodexAgent("home"), StoreError, "config_invalid");
    for (const agent_identity of [7, {}, "a.b", { ...IDENTITY_C, agent_runtime_id: "../x" }]) {
      const { root } = await openCodexHome(createAuth({ agent_identity }));
      await expectRejection(loadCodexAgent(root), StoreError, "store_corrupt");
    }
  });

  test("is undefined if there is no file, or no agent in the file", async () => {
    for (const auth of [undefined, createAuth(), createAuth({ agent_identity: null })]) {
      const { root } = await openCodexHome(auth);
      expect(await loadCodexAgent(root)).toBeUndefined();
    }
  });

  const who = { accountId: "acct-1", userId: "user-1", privateKey: CODEX_KEY };
  const { task_id: _, ...withoutTask } = IDENTITY_C;
  test.each([
    { identity: IDENTITY_A, agent: { generation: "A", agentRuntimeId: "agent_a", ...who } },
    {
      identity: IDENTITY_C,
      agent: { generation: "C", agentRuntimeId: "agent_c", ...who, taskId: "task_1" },
    },
    { identity: withoutTask, agent: { generation: "C", agentRuntimeId: "agent_c", ...who } },
    { identity: createToken({ account_id: "a" }), agent: { generation: "B" } },
  ])("is told with its generation ($agent.generation)", async ({ identity, agent }) => {
    const { root } = await openCodexHome(createAuth({ agent_identity: identity }));
    const found = await loadCodexAgent(root);
    // The key is hidden: no copy of the agent and no comparison has it.
    const key =
      found !== undefined && "privateKey" in found ? { privateKey: found.privateKey } : {};
    expect({ ...found, ...key }).toEqual(agent);
    expect(inspect(found) + JSON.stringify(found)).not.toContain(CODEX_KEY);
  });
});

describe("writing an agent into a Codex home", () => {
  const login = { auth_mode: "agentIdentity", OPENAI_API_KEY: null };
  const entry: StoredIdentity = {
    authority: "https://authority.example",
    account_id: "acct-1",
    user_id: "user-1",
    private_key: CODEX_KEY,
    agent_runtime_id: "agent_new",
    state: "registered",
  };

  test("changes nothing where another agent stands, with the same key too", async () => {
    for (const agent_identity of [IDENTITY_C, { ...IDENTITY_C, agent_private_key: "AAAA" }]) {
      const { root, text } = await openCodexHome({ ...login, agent_identity });
      const before = await text();
      expect(await saveCodexAgent(root, entry)).toBe(false);
      expect(await text()).toBe(before);
    }
  });

  test("takes the place of the same agent, whose task stays", async () => {
    const { root, value } = await openCodexHome({ ...login, agent_identity: IDENTITY_C });
    expect(await saveCodexAgent(root, { ...entry, agent_runtime_id: "agent_c" })).toBe(true);
    expect(await value()).toMatchObject({ agent_identity: { task_id: "task_1" } });
  });
});

describe("removing the task of a Codex home", () => {
  test.each([
    { what: "another task", identity: { ...IDENTITY_C, task_id: "task_2" } },
    { what: "another agent", identity: { ...IDENTITY_C, agent_runtime_id: "agent_2" } },
    { what: "an agent of generation A", identity: { ...IDENTITY_A, task_id: "task_1" } },
    { what: "an identity JWT", identity: createToken({}) },
    { what: "nothing", identity: undefined },
  ])("changes nothing where there is $what", async ({ identity }) => {
    const { root, text } = await openCodexHome(createAuth({ agent_identity: identity }));
    const before = await text();
    expect(await removeCodexTask(root, TASK)).toBe(false);
    expect(await text()).toBe(before);
  });

  test("makes no file", async () => {
    const { root } = await openCodexHome();
    expect(await removeCodexTask(root, TASK)).toBe(false);
    expect(await loadCodexAgent(root)).toBeUndefined();
  });

  test("leaves the files alone that Codex keeps as its own locks", async () => {
    const { root, file } = await openCodexHome(createAuth({ agent_identity: IDENTITY_C }));
    const locks = [`${file}.lock`, join(root, "auth.lock")];
    for (const lock of locks) await writeFile(lock, "");
    expect(await removeCodexTask(root, TASK)).toBe(true);
    for (const lock of locks) expect((await stat(lock)).isFile()).toBe(true);
  });

  test("keeps every other member as it is written", async () => {
    const kept = JSON.stringify({ ...IDENTITY_C, task_id: undefined, n: "N" }).replace(
      '"N"',
      "1e2",
    );
    const withTask = kept.replace("{", '{"task_id":"task_1",');
    const { root, file, text } = await openCodexHome(`${ODD},"agent_identity":${withTask}}`);
    expect(await removeCodexTask(root, TASK)).toBe(true);
    expect((await text()).replaceAll(/\n\s*/g, "").replaceAll('": ', '":')).toBe(
      `${ODD},"agent_identity":${kept}}`,
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await removeCodexTask(root, TASK)).toBe(false);
  });
});

test("renewing the login of a Codex home replaces all but the agent, which stays as it is written", async () => {
  const identity = JSON.stringify({ ...IDENTITY_C, n: "N" }).replace('"N"', "1.0");
  const { root, text } = await openCodexHome(`{"old":1,"agent_identity":${identity}}`);
  const login = '{"auth_mode":"chatgpt","tokens":{"n":1e2}}';
  await renewCodexLogin(root, { login, decide: async () => ({ keepsAgent: true }) });
  const now = (await text()).replaceAll(/\n\s*/g, "").replaceAll('": ', '":');
  expect(now).toBe(`{"auth_mode":"chatgpt","tokens":{"n":1e2},"agent_identity":${identity}}`);
});

describe("renewing the login of a Codex home", () => {
  const login = '{"tokens":"new"}';
  const stay = { keepsAgent: true };

  test("changes nothing where the caller refuses, and shows it the agent that stands there", async () => {
    const { root, text } = await openCodexHome(createAuth({ agent_identity: IDENTITY_C }));
    const before = await text();
    const decide = async (found: FoundCodexAuth | undefined) => {
      expect(found?.agent).toMatchObject({ agentRuntimeId: "agent_c" });
      throw new Error("refused");
    };
    await expect(renewCodexLogin(root, { login, decide })).rejects.toThrow("refused");
    expect(await text()).toBe(before);
  });

  test("decides again about an agent that Codex writes while it decides", async () => {
    const { root, file, text } = await openCodexHome(createAuth());
    const seen: unknown[] = [];
    const decide = async (found: FoundCodexAuth | undefined) => {
      seen.push(found?.agent?.generation);
      if (seen.length === 1) {
        await writeFile(file, JSON.stringify(createAuth({ agent_identity: IDENTITY_C })));
      }
      return { keepsAgent: found?.agent !== undefined };
    };
    await renewCodexLogin(root, { login, decide });
    expect(seen).toEqual([undefined, "C"]);
    expect(JSON.parse(await text())).toEqual({ tokens: "new", agent_identity: IDENTITY_C });
  });

  test("moves the destination while no login is there", async () => {
    const { root, text } = await openCodexHome(createAuth({ agent_identity: IDENTITY_C }));
    let between = "";
    let isMoved = false;
    const moveDestination = async () => {
      between = await text();
      isMoved = true;
    };
    const decide = async () => (isMoved ? stay : { ...stay, moveDestination });
    await renewCodexLogin(root, { login, decide });
    expect(JSON.parse(between)).toEqual({
      OPENAI_API_KEY: null,
      tokens: null,
      agent_identity: IDENTITY_C,
    });
    expect(JSON.parse(await text())).toEqual({ tokens: "new", agent_identity: IDENTITY_C });
  });

  test("leaves no login beside a destination that moved, where Codex puts back what is refused", async () => {
    const { root, file, text } = await openCodexHome(createAuth());
    let isMoved = false;
    const moveDestination = async () => {
      isMoved = true;
      await writeFile(file, JSON.stringify(createAuth({ agent_identity: IDENTITY_C })));
    };
    const decide = async () => {
      if (isMoved) throw new Error("refused");
      return { ...stay, moveDestination };
    };
    await expect(renewCodexLogin(root, { login, decide })).rejects.toThrow("refused");
    expect(JSON.parse(await text())).toEqual({
      OPENAI_API_KEY: null,
      tokens: null,
      agent_identity: IDENTITY_C,
    });
  });

  test("makes the file and its folder, and follows a link to it", async () => {
    const { root, file, text } = await openCodexHome();
    await renewCodexLogin(join(root, "new"), { login, decide: async () => stay });
    expect((await stat(join(root, "new"))).mode & 0o777).toBe(0o700);
    await symlink(join(root, "new", "auth.json"), file);
    await renewCodexLogin(root, { login: '{"tokens":"other"}', decide: async () => stay });
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect(JSON.parse(await text())).toEqual({ tokens: "other" });
  });
});

test.skipIf(process.platform === "win32")(
  "a folder that everybody may write to gets neither an agent nor a login",
  async () => {
    const { root } = await openCodexHome();
    await chmod(root, 0o777);
    const identity: StoredIdentity = {
      authority: "https://authority.example",
      account_id: "acct-1",
      user_id: "user-1",
      agent_runtime_id: "agent_c",
      private_key: CODEX_KEY,
      state: "registered",
    };
    await expectRejection(saveCodexAgent(root, identity), StoreError, "store_denied");
    const renewal = { login: "{}", decide: async () => ({ keepsAgent: true }) };
    await expectRejection(renewCodexLogin(root, renewal), StoreError, "store_denied");
    expect(await readdir(root)).toEqual([]);
  },
);
