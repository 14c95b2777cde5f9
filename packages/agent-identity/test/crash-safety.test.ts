import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import { startProcess, type TestAuthority } from "@countersign/testing";
import { REGISTRATION_STEPS } from "@countersign/testing/die-at-step";
import { byEffort } from "@countersign/testing/effort";
import { openAuthority, openDirectory, openGate } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { AgentIdentityManager } from "../src/agent-identity-manager.js";
import { fixedAuth } from "../src/auth.js";
import { fileStore } from "../src/store/file-store.js";
import { commandOf } from "./support/processes.js";

const KILLS_PER_STEP = byEffort(10, 1);
const KILLS_WITHOUT_ANSWER = byEffort(10, 2);
const HOMES = 12;
// Of a registration with a key that is kept elsewhere.
const SIGNER_STEPS = [...REGISTRATION_STEPS.keys()].filter((step) => step % byEffort(1, 4) === 0);

interface Home {
  readonly path: string;
  readonly token: string;
  readonly userId: string;
  readonly authority: TestAuthority;
}

function openHome(authority: TestAuthority, root: string, name: string): Home {
  const userId = `user-${name}`;
  const token = authority.addHuman({ accountId: "acct-1", userId });
  return { path: join(root, name), token, userId, authority };
}

async function run({ path, token, userId, authority }: Home, step: number, key?: AgentKey) {
  const [command = "", ...args] = commandOf(
    "register-and-die.ts",
    authority.url,
    path,
    token,
    userId,
    `${step}`,
    key?.exportPkcs8() ?? "",
  );
  return await startProcess(command, args);
}

/** What has to hold after any crash: the store loads, and the next run ends with one usable agent whose key is the key on disk. */
async function expectRecovery({ path, token, userId, authority }: Home): Promise<void> {
  const store = fileStore(path);
  const { unreadable, identities: found } = await store.load();
  expect({ unreadable, count: found.length <= 1 }).toEqual({ unreadable: undefined, count: true });
  const manager = new AgentIdentityManager({
    authority: authority.url,
    auth: fixedAuth({ kind: "human", accountId: "acct-1", userId, accessToken: token }),
    store,
    features: { isEnabled: () => true },
  });
  const identity = await manager.ensure();
  await manager.close();
  const agents = authority.agents.filter((agent) => agent.userId === userId);
  const { identities } = await store.load();
  const line = AgentKey.importPkcs8(identities[0]?.private_key ?? "").publicKey.line;
  expect(agents).toMatchObject([{ publicKey: line, state: "active" }]);
  expect(identities).toMatchObject([
    { state: "registered", agent_runtime_id: agents[0]?.agentRuntimeId },
  ]);
  expect(identity).toMatchObject({ agentRuntimeId: agents[0]?.agentRuntimeId });
  // What the killed one wrote and did not finish is gone with the next write.
  const names = await readdir(path);
  if (found[0]?.state !== "registered") {
    expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
  }
}

/** Runs jobs, a few at a time. */
async function drain(jobs: (() => Promise<void>)[]): Promise<void> {
  const worker = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  };
  await Promise.all(Array.from({ length: HOMES }, worker));
}

test("a registration takes these steps, and each of them can be watched", async () => {
  const home = openHome(await openAuthority(), await openDirectory(), "all");
  const { code, stdout, stderr } = await (await run(home, -1)).exited;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.trim().split("\n")).toEqual(REGISTRATION_STEPS);
});

test("a process killed at any step of a registration leaves a store that loads, and the next run has one agent with the key on disk", async () => {
  const authority = await openAuthority();
  const root = await openDirectory();
  let kills = 0;
  const jobs = REGISTRATION_STEPS.flatMap((name, step) =>
    Array.from({ length: KILLS_PER_STEP }, (_, round) => async () => {
      const home = openHome(authority, root, `${step}-${round}`);
      const { signal, stdout } = await (await run(home, step)).exited;
      expect([signal, stdout.trim().split("\n").at(-1)]).toEqual(["SIGKILL", name]);
      kills += 1;
      await expectRecovery(home);
    }),
  );
  await drain(jobs);
  expect(kills).toBe(REGISTRATION_STEPS.length * KILLS_PER_STEP);
  expect(kills).toBeGreaterThanOrEqual(byEffort(200, 20) - KILLS_WITHOUT_ANSWER);
});

test("a process killed at any step with a key that is kept elsewhere leaves one agent of that key, and the secret that was written first", async () => {
  const authority = await openAuthority();
  const root = await openDirectory();
  const jobs = SIGNER_STEPS.map((step) => async () => {
    const name = REGISTRATION_STEPS[step];
    const home = openHome(authority, root, `signer-${step}`);
    const key = AgentKey.generate();
    const { signal, stdout } = await (await run(home, step, key)).exited;
    expect([signal, stdout.trim().split("\n").at(-1)]).toEqual(["SIGKILL", name]);
    const store = fileStore(home.path);
    const [before] = (await store.load()).identities;
    const manager = new AgentIdentityManager({
      authority: authority.url,
      auth: fixedAuth({
        kind: "human",
        accountId: "acct-1",
        userId: home.userId,
        accessToken: home.token,
      }),
      store,
      signers: [{ publicKey: key.publicKey, sign: async (message) => key.sign(message) }],
    });
    await manager.ensure();
    await manager.close();
    const { identities } = await store.load();
    const agents = authority.agents.filter((agent) => agent.userId === home.userId);
    expect(agents).toMatchObject([{ publicKey: key.publicKey.line, state: "active" }]);
    expect(identities).toMatchObject([
      { agent_runtime_id: agents[0]?.agentRuntimeId, public_key: key.publicKey.line },
    ]);
    expect(identities[0]?.private_key).toBeUndefined();
    const secret = before?.idempotency_secret ?? identities[0]?.idempotency_secret;
    expect(identities[0]?.idempotency_secret).toBe(secret);
    expect(secret).toHaveLength(44);
  });
  await drain(jobs);
});

test("a process killed between a request and its answer leaves one agent, whether the authority had registered it or not", async () => {
  const authority = await openAuthority();
  const root = await openDirectory();
  for (let round = 0; round < KILLS_WITHOUT_ANSWER; round += 1) {
    const home = openHome(authority, root, `${round}`);
    const gate = openGate();
    // Held: performed only after the kill. Lost: performed before it, and the answer never comes.
    authority.fault(
      "register_agent",
      round % 2 === 0 ? { kind: "hold", until: gate.opened } : { kind: "lose" },
    );
    if (round % 2 === 1) authority.fault("register_agent", { kind: "hang" });
    const before = authority.counts.registerAgent;
    const running = await run(home, -1);
    const expected = before + (round % 2 === 0 ? 1 : 2);
    await expect.poll(() => authority.counts.registerAgent, { timeout: 60_000 }).toBe(expected);
    running.kill("SIGKILL");
    await running.exited;
    gate.open();
    await expectRecovery(home);
  }
});
