import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { AgentIdentityManager, fileStore, fixedAuth } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { startTestAuthority, temporaryDirectory } from "@countersign/testing";
import { byEffort } from "@countersign/testing/effort";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentTaskManager } from "../src/agent-task-manager.js";
import { fileTaskStore } from "../src/store/file-task-store.js";
import { runProgram, startProgram } from "./processes/run-source.js";

// In the order in which a registration comes by them.
const STEPS = [
  // Before the request.
  "countersign:private-file lock_taken",
  "countersign:agent-task registering",
  "http.client.request.start /task/register",
  // The authority did it, and its answer was lost.
  "countersign:agent-task retrying",
  // After the answer, before the store is written.
  "http.client.response.finish /task/register",
  // While it is written.
  "countersign:private-file temporary_made",
  "countersign:private-file temporary_written",
  "countersign:private-file temporary_synced",
  "countersign:private-file renamed",
  "countersign:private-file directory_synced",
  // Afterwards.
  "countersign:agent-task registered",
] as const;
const HOMES = byEffort(26, 3);
const KILLS_PER_HOME = 4;
const SIGNER_HOMES = byEffort(6, 3);
const KILLS = HOMES * KILLS_PER_HOME;

/** Kills in one home, one after the other; each next process must come back to the very task whose registration was cut off. */
async function killInOneHome(number: number, key?: AgentKey): Promise<readonly string[]> {
  await using home = await temporaryDirectory();
  await using authority = await startTestAuthority();
  const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const threads = fileTaskStore(`${home.path}/threads`);
  const args = (before: number, step: string) => [
    ...[authority.url, token, home.path, `thread-${before}`, `thread-${before + 1}`, step],
    key?.exportPkcs8() ?? "",
  ];
  const killedAt: string[] = [];
  for (let kill = 0; kill < KILLS_PER_HOME; kill += 1) {
    const step = STEPS[(number * KILLS_PER_HOME + kill) % STEPS.length] ?? "";
    const running = await startProgram("be-killed.ts", args(kill, step));
    const [, recovered] = await running.waitForLine(/^recovered (\S+)$/);
    // The one task of that thread: what was registered before the kill, if it was.
    expect(recovered, step).toBe(`task_${kill + 1}`);
    expect(authority.tasks.map(({ taskId }) => taskId)).toHaveLength(kill + 1);
    if (step.endsWith("retrying")) authority.fault("register_task", { kind: "lose" });
    running.write("go\n");
    const { signal, stdout } = await running.exited;
    expect({ step, signal, stdout }).toMatchObject({ signal: "SIGKILL" });
    killedAt.push(step);
    authority.clearFaults();
    // At every step that was cut off, both stores load, and hold what was there before.
    expect((await threads.list()).length).toBeGreaterThanOrEqual(kill + 1);
    expect((await fileStore(home.path).load()).identities).toMatchObject([{ state: "registered" }]);
  }
  const identities = new AgentIdentityManager({
    authority: authority.url,
    auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken: token }),
    store: fileStore(home.path),
    signers: key && [{ publicKey: key.publicKey, sign: async (text) => key.sign(text) }],
    features: { isEnabled: () => true },
  });
  const tasks = new AgentTaskManager({ identities, store: threads });
  const last = await tasks.ensure(`thread-${KILLS_PER_HOME}`);
  expect(last?.taskId).toBe(`task_${KILLS_PER_HOME + 1}`);
  await tasks.close();
  await identities.close();
  expect(authority.agents).toHaveLength(1);
  expect(authority.tasks).toHaveLength(KILLS_PER_HOME + 1);
  // No lock is held any more, and no half of a file stays. What was put aside of broken locks is swept later.
  const left = (await readdir(`${home.path}/threads`)).filter(
    (name) => !/\.json$|\.gone$/.test(name),
  );
  expect(left).toEqual([]);
  return killedAt;
}

describe("a process killed while it registers a task", () => {
  it("leaves stores that load, and the next one has the same task, after kills at every step", async () => {
    const homes = Array.from({ length: HOMES }, (_, number) => killInOneHome(number));
    const kills = (await Promise.all(homes)).flat();
    expect(kills).toHaveLength(KILLS);
    expect(new Set(kills)).toEqual(new Set(STEPS));
  });

  it("leaves the same with a key that is kept elsewhere and derives nothing", async () => {
    const homes = Array.from({ length: SIGNER_HOMES }, (_, number) =>
      killInOneHome(number, AgentKey.generate()),
    );
    const kills = (await Promise.all(homes)).flat();
    expect(new Set(kills)).toEqual(new Set(STEPS));
  });
});

describe("a process killed while it writes a thread", () => {
  it("leaves its half in its lock, and both are gone when the thread has its task", async () => {
    await using home = await temporaryDirectory();
    await using authority = await startTestAuthority();
    const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
    const list = async () => (await readdir(`${home.path}/threads`, { recursive: true })).sort();
    const step = "countersign:private-file temporary_written";
    const args = [authority.url, token, home.path, "thread-0", "thread-1"];
    expect(await runProgram("be-killed.ts", [...args, step], "go\n")).toMatchObject({
      signal: "SIGKILL",
    });
    const [stored, other] = ["thread-0", "thread-1"].map((scope) =>
      createHash("sha256").update(scope).digest("hex"),
    );
    const half = expect.stringMatching(
      new RegExp(`^${other}\\.lock/${other}\\.json\\.\\w+\\.tmp$`),
    );
    const word = expect.stringMatching(new RegExp(`^${other}\\.lock/[0-9a-f]{32}$`));
    expect(new Set(await list())).toEqual(new Set([`${stored}.json`, `${other}.lock`, half, word]));
    const next = await runProgram("be-killed.ts", [...args, ""], "go\n");
    expect(next).toMatchObject({ code: 0, stderr: "" });
    // What was put aside of the broken lock is searched for when the next one is taken over.
    const left = (await list()).filter((name) => !name.includes(".gone"));
    expect(left).toEqual([`${stored}.json`, `${other}.json`].sort());
    expect(authority.tasks).toHaveLength(2);
  });
});

describe("a process that failed to register", () => {
  const cases = [
    {
      name: "the authority hangs",
      proof: "bearer",
      step: "register_task",
      fault: { kind: "hang" },
    },
    { name: "the biscuit hangs", proof: "biscuit", step: "biscuit", fault: { kind: "hang" } },
    { name: "the agent hangs", proof: "bearer", step: "register_agent", fault: { kind: "hang" } },
    { name: "connections break", proof: "bearer", step: "register_task", fault: { kind: "reset" } },
    {
      name: "it is refused with a huge body",
      proof: "biscuit",
      step: "register_task",
      fault: { kind: "status", status: 400, body: "x".repeat(2 * 1024 * 1024) },
    },
    {
      name: "it is told to come back later",
      proof: "bearer",
      step: "register_task",
      fault: { kind: "status", status: 429, headers: { "retry-after": "1" } },
    },
  ] as const;
  it("leaves no timer and no socket behind, and ends by itself with nothing closed", async () => {
    await Promise.all(
      cases.map(async ({ name, proof, step, fault }) => {
        const authority = await startTestAuthority();
        onTestFinished(() => authority.close());
        const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
        authority.fault(step, fault, Number.POSITIVE_INFINITY);
        const result = await runProgram("fail-and-leave.ts", [authority.url, token, proof]);
        const [first, second, left] = result.stdout.split("\n");
        expect(result, name).toMatchObject({ code: 0, stderr: "" });
        expect([first, second]).not.toContain("task");
        expect(left, name).toBe("left []");
      }),
    );
  });
});
