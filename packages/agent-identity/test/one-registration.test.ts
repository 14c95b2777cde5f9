import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { withFileLock } from "@countersign/private-file";
import { byEffort } from "@countersign/testing/effort";
import { openAuthority, openDirectory, openGate, runTogether } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentIdentityManager } from "../src/agent-identity-manager.js";
import { fixedAuth } from "../src/auth.js";
import { fileStore } from "../src/store/file-store.js";
import { startProgram } from "./support/processes.js";

const PROCESSES = byEffort(20, 5);

async function open() {
  const authority = await openAuthority();
  const home = join(await openDirectory(), "home");
  const accessToken = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const openManager = () =>
    new AgentIdentityManager({
      authority: authority.url,
      auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
      store: fileStore(home),
      features: { isEnabled: () => true },
    });
  return {
    authority,
    home,
    openManager,
    start: () => startProgram("ensure-identity.ts", authority.url, home, accessToken),
  };
}

test("1,000 callers at once in one process, over one manager and over many, register one agent", async () => {
  const { authority, openManager } = await open();
  const managers = Array.from({ length: 20 }, openManager);
  const calls = Array.from({ length: 1000 }, (_, i) =>
    (managers[i < 500 ? 0 : i % managers.length] ?? expect.fail()).ensure(),
  );
  const ids = (await Promise.all(calls)).map((identity) => identity?.agentRuntimeId);
  expect(new Set(ids)).toEqual(new Set(["agent_1"]));
  expect(authority.requests).toHaveLength(1);
  expect(authority.agents).toHaveLength(1);
  await Promise.all(managers.map((manager) => manager.close()));
});

test("many processes started together on an empty home register one agent and leave one key", async () => {
  const { authority, home, start } = await open();
  const results = await runTogether(Array.from({ length: PROCESSES }, () => start));
  for (const { code, stderr } of results) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const lines = results.map(({ stdout }) => stdout.trim().split("\n").at(-1));
  expect(new Set(lines)).toEqual(new Set([`agent_1 ${authority.agents[0]?.publicKey}`]));
  expect(authority.requests).toHaveLength(1);
  expect((await readdir(home)).sort()).toEqual(["credentials.json", "locks"]);
  expect(await readdir(join(home, "locks"))).toEqual([]);
  expect((await stat(join(home, "credentials.json"))).mode & 0o777).toBe(0o600);
});

describe("a holder of the lock", () => {
  test("that was killed while it registered holds many others up for less than 5 s, and they register one agent", async () => {
    const { authority, start } = await open();
    const gate = openGate();
    authority.fault("register_agent", { kind: "hold", until: gate.opened });
    const killed = await start();
    await killed.waitForLine(/^ready$/);
    killed.write("go\n");
    await expect.poll(() => authority.counts.registerAgent, { timeout: 60_000 }).toBe(1);
    const others = await Promise.all(Array.from({ length: PROCESSES }, start));
    await Promise.all(others.map((running) => running.waitForLine(/^ready$/)));
    for (const running of others) running.write("go\n");
    const killedAt = performance.now();
    killed.kill("SIGKILL");
    gate.open();
    // What holds them up ends when the first of them has the lock and registers in its place; how fast they all are is the machine's matter.
    await expect
      .poll(() => authority.counts.registerAgent, { timeout: 60_000, interval: 5 })
      .toBe(2);
    const stalledMs = performance.now() - killedAt;
    const results = await Promise.all(others.map((running) => running.exited));
    const ids = results.map(({ stdout }) => stdout.trim().split("\n").at(-1)?.split(" ")[0]);
    expect(new Set(ids)).toEqual(new Set(["agent_1"]));
    expect(authority.agents).toHaveLength(1);
    expect(stalledMs).toBeLessThan(5000);
  });

  test("that ends itself makes no other process wait", async () => {
    const lock = join(await openDirectory(), "lock");
    const holder = await startProgram("hold-lock.ts", lock, "exit");
    await holder.exited;
    expect(holder.stdout).toBe("held\n");
    expect(await withFileLock(lock, async () => "mine", { waitMs: 0 })).toBe("mine");
  });

  test("that only sleeps is overtaken after three seconds, finds that out, and touches nothing", async () => {
    const root = await openDirectory();
    const lock = join(root, "lock");
    const holder = await startProgram("hold-lock.ts", lock);
    await holder.waitForLine(/^held$/);
    holder.kill("SIGSTOP");
    await withFileLock(
      lock,
      async (held) => {
        holder.kill("SIGCONT");
        holder.write("look\n");
        await holder.waitForLine(/^store_locked$/);
        await holder.exited;
        await held.assertHeld();
      },
      { waitMs: 60_000 },
    );
  });

  test("that can be seen to run keeps it without a sign of life", async () => {
    const lock = join(await openDirectory(), "lock");
    const holder = await startProgram("hold-lock.ts", lock, "busy");
    await holder.waitForLine(/^held$/);
    // Longer than one that only sleeps would keep it.
    const waiting = withFileLock(lock, async () => "mine", { waitMs: 4500 });
    await expect(waiting).rejects.toMatchObject({ code: "store_locked" });
    holder.write("look\n");
    await holder.waitForLine(/^still held$/);
  });

  test("that lives keeps it, however long it takes", async () => {
    const root = await openDirectory();
    const lock = join(root, "lock");
    const holder = await startProgram("hold-lock.ts", lock);
    await holder.waitForLine(/^held$/);
    // Longer than a holder without a sign of life would keep it.
    const waiting = withFileLock(lock, async () => "mine", { waitMs: 4500 });
    await expect(waiting).rejects.toMatchObject({ code: "store_locked" });
    holder.write("look\n");
    await holder.waitForLine(/^still held$/);
  });
});

test("the locks that killed processes left do not block others", async () => {
  const { home, start, authority } = await open();
  const locks = join(home, "locks");
  await mkdir(join(locks, `x.lock.${"0".repeat(32)}.new`), { recursive: true, mode: 0o700 });
  const results = await runTogether([start, start, start]);
  for (const { code } of results) expect(code).toBe(0);
  expect(authority.agents).toHaveLength(1);
});

test("no change of several processes at once is lost", async () => {
  const home = await openDirectory();
  const names = ["a", "b", "c", "d"];
  const starts = names.map((name) => () => startProgram("update-store.ts", home, name));
  for (const result of await runTogether(starts)) expect(result).toMatchObject({ code: 0 });
  const { version, login, identities, ...members } = await fileStore(home).load();
  expect(Object.keys(members).sort()).toEqual(
    names.flatMap((name) => Array.from({ length: 10 }, (_, i) => `${name}${i}`)),
  );
});
