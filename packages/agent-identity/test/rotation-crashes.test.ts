import { join } from "node:path";
import { AgentKey } from "@countersign/agent-key";
import { startProcess, type TestAuthority } from "@countersign/testing";
import { ROTATION_STEPS } from "@countersign/testing/die-at-step";
import { byEffort } from "@countersign/testing/effort";
import { openAuthority, openDirectory, openGate } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import type { AgentIdentity } from "../src/agent-identity.js";
import { AgentIdentityManager } from "../src/agent-identity-manager.js";
import { fixedAuth } from "../src/auth.js";
import { AuthorityClient } from "../src/client/authority-client.js";
import { fileStore } from "../src/store/file-store.js";
import { commandOf } from "./support/processes.js";

// Every second home is compromised, so two is the least.
const KILLS_PER_STEP = byEffort(4, 2);
const KILLS_WITHOUT_ANSWER = byEffort(8, 4);
const HOMES = 8;

interface Home {
  readonly path: string;
  readonly token: string;
  readonly userId: string;
  readonly authority: TestAuthority;
  readonly compromised: boolean;
  /** The agent's key before the rotation. */
  readonly line: string;
}

function openManager({ authority, path, token, userId }: Omit<Home, "compromised" | "line">) {
  return new AgentIdentityManager({
    authority: authority.url,
    auth: fixedAuth({ kind: "human", accountId: "acct-1", userId, accessToken: token }),
    store: fileStore(path),
    features: { isEnabled: () => true },
  });
}

/** A home with a registered agent. */
async function openHome(
  authority: TestAuthority,
  root: string,
  name: string,
  compromised: boolean,
): Promise<Home> {
  const userId = `user-${name}`;
  const token = authority.addHuman({ accountId: "acct-1", userId });
  const home = { path: join(root, name), token, userId, authority };
  const manager = openManager(home);
  const identity = await manager.ensure();
  await manager.close();
  return { ...home, compromised, line: identity?.key.publicKey.line ?? "" };
}

async function run({ path, token, userId, authority, compromised }: Home, step: number) {
  const [command = "", ...args] = commandOf(
    "rotate-and-die.ts",
    ...[authority.url, path, token, userId, `${step}`, `${compromised}`],
  );
  return await startProcess(command, args);
}

function agentOf({ authority, userId }: Home) {
  const agents = authority.agents.filter((agent) => agent.userId === userId);
  expect(agents).toHaveLength(1);
  const [agent] = agents;
  if (agent === undefined) throw new Error("no agent");
  return agent;
}

/** Whether the authority takes a task registration by this key. */
async function isTaken({ authority }: Home, agentRuntimeId: string, key: AgentKey) {
  const timestamp = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const signature = key.signText(`${agentRuntimeId}:${timestamp}`);
  const client = new AuthorityClient({ authority: authority.url });
  const path = `/v1/agent/${agentRuntimeId}/task/register`;
  return await client
    .request({ method: "POST", path, body: { signature, timestamp } })
    .then(() => true)
    .catch(() => false);
}

/** What has to hold after any crash: the agent goes on as it is, and the next rotation ends with the key on disk as the agent's newest. */
async function expectRecovery(home: Home): Promise<void> {
  const store = fileStore(home.path);
  const { unreadable, identities: found } = await store.load();
  expect({ unreadable, count: found.length }).toEqual({ unreadable: undefined, count: 1 });
  const chosen = found[0]?.next_private_key;
  const { agentRuntimeId } = agentOf(home);
  const manager = openManager(home);
  // The key that is given is one that the authority takes; where it does not, the rotation that was cut off is the reason.
  let identity = await manager.ensure();
  if (identity === undefined) throw new Error("no agent");
  if (!(await isTaken(home, agentRuntimeId, keyOf(identity)))) {
    expect(home.compromised).toBe(true);
    identity = await manager.finishRotation(identity);
    expect(keyOf(identity).exportPkcs8()).toBe(chosen);
    expect(await isTaken(home, agentRuntimeId, keyOf(identity))).toBe(true);
  }
  const isFinished = (await store.load()).identities[0]?.next_private_key === undefined;
  if (!isFinished) {
    const rotation = await manager.rotate();
    expect(keyOf(rotation?.identity).exportPkcs8()).toBe(chosen);
  }
  await manager.close();
  const { identities } = await store.load();
  expect(identities).toMatchObject([{ state: "registered", agent_runtime_id: agentRuntimeId }]);
  expect(identities[0]).not.toHaveProperty("next_private_key");
  const line = AgentKey.importPkcs8(identities[0]?.private_key ?? "").publicKey.line;
  const agent = agentOf(home);
  expect(agent).toMatchObject({ agentRuntimeId, publicKey: line, state: "active" });
  // Rotated at most once, and to nothing but the key that was chosen.
  const others = [...agent.formerKeys, ...agent.endedKeys];
  expect([[], [home.line]]).toContainEqual(others);
}

/** Runs jobs, a few at a time. */
async function drain(jobs: (() => Promise<void>)[]): Promise<void> {
  const worker = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  };
  await Promise.all(Array.from({ length: HOMES }, worker));
}

test("a rotation takes these steps, and each of them can be watched", async () => {
  const home = await openHome(await openAuthority(), await openDirectory(), "all", false);
  const { code, stdout, stderr } = await (await run(home, -1)).exited;
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.trim().split("\n")).toEqual(ROTATION_STEPS);
});

test("a process killed at any step of a rotation leaves an agent that goes on, and the next rotation ends with the key that was chosen (G-K5)", async () => {
  const authority = await openAuthority();
  const root = await openDirectory();
  let kills = 0;
  const jobs = ROTATION_STEPS.flatMap((name, step) =>
    Array.from({ length: KILLS_PER_STEP }, (_, round) => async () => {
      const home = await openHome(authority, root, `${step}-${round}`, round % 2 === 1);
      const { signal, stdout } = await (await run(home, step)).exited;
      expect([signal, stdout.trim().split("\n").at(-1)]).toEqual(["SIGKILL", name]);
      kills += 1;
      await expectRecovery(home);
    }),
  );
  await drain(jobs);
  expect(kills).toBe(ROTATION_STEPS.length * KILLS_PER_STEP);
});

test("a process killed between a request and its answer leaves one agent, whether its key was rotated or not (G-K5)", async () => {
  const authority = await openAuthority();
  const root = await openDirectory();
  for (let round = 0; round < KILLS_WITHOUT_ANSWER; round += 1) {
    const home = await openHome(authority, root, `${round}`, round % 4 >= 2);
    const gate = openGate();
    // Held: performed only after the kill. Lost: performed before it, and the answer never comes.
    const isHeld = round % 2 === 0;
    authority.fault("rotate_key", isHeld ? { kind: "hold", until: gate.opened } : { kind: "lose" });
    if (!isHeld) authority.fault("rotate_key", { kind: "hang" });
    const before = authority.counts.rotateKey;
    const running = await run(home, -1);
    const expected = before + (isHeld ? 1 : 2);
    await expect.poll(() => authority.counts.rotateKey, { timeout: 60_000 }).toBe(expected);
    running.kill("SIGKILL");
    await running.exited;
    gate.open();
    await expectRecovery(home);
  }
});

// What a store keeps is a key.
function keyOf(identity: AgentIdentity | undefined): AgentKey {
  return (identity?.key ?? expect.unreachable("no agent")) as AgentKey;
}
