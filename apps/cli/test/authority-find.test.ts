import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { signAssertion } from "@countersign/agent-assertion/sign";
import { createRegistry, openStore, type Registry } from "@countersign/agent-authority";
import { AgentKey } from "@countersign/agent-key";
import { describe, expect, onTestFinished, test } from "vitest";
import { countersign, expectError, json, output, startCountersign } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

async function operate<T>(
  world: ServerWorld,
  work: (registry: Registry) => Promise<T>,
): Promise<T> {
  await using store = await openStore(world.onDatabase[1] ?? "");
  return await work(createRegistry(store, { generations: ["B", "C"] }));
}

const issueTo = (world: ServerWorld, userId: string) =>
  operate(world, (registry) =>
    registry.issueIdentity({ accountId: "acct-1", userId, ttlSeconds: 3_600 }),
  );

test("find refuses a credential, a wrong limit and nothing at all, and finds nothing with exit 1", async () => {
  const world = await serverWorld();
  const { home } = world;
  await world.createToken();
  const find = (...args: string[]) =>
    countersign(["authority", "find", ...world.onDatabase, ...args], { home });
  const secret = await find("cs_human_s3cr3ts3cr3ts3cr3t");
  expectError(secret, "usage", 2);
  expect(secret.stderr + secret.stdout).not.toContain("s3cr3t");
  expectError(await find("x", "--limit", "0"), "usage", 2);
  expectError(await find(""), "usage", 2);
  const unprintable = await find("agent_\u001b[31m");
  expectError(unprintable, "usage", 2);
  const unknown = await find("nothing-of-it");
  expectError(unknown, "invalid_request", 1);
  expect(unknown.stderr).toMatch(/"nothing-of-it"[\s\S]*hint: .*audit tail/);
  // An operator who forgot to name the database sees that it is another one.
  expect(unknown.stderr).toContain(`check that ${world.onDatabase[1]} is the right registry`);
});

describe("find says what it is, whose, and prints the commands that stop it", () => {
  test("and the one that lists the tasks below it", async () => {
    const world = await serverWorld();
    const { home, onDatabase } = world;
    const { url } = await world.serve();
    await world.logIn(url);
    const { task_id: id } = await json(["task", "ensure"], { home, env: FEATURE_ON });
    const { matches } = await json(["authority", "find", "user-1", ...onDatabase], { home });
    const command: string = matches[0].tasks;
    const listed = await output(command.split(" ").slice(1), { home });
    expect(listed).toContain(id);
    const text = await output(["authority", "find", "user-1", ...onDatabase], { home });
    expect(text).toContain(`  to see its tasks: ${command}\n`);
    const task = await json(["authority", "find", id, ...onDatabase], { home });
    expect(task.matches[0]).not.toHaveProperty("tasks");
  });

  test("which then stop it", async () => {
    const world = await serverWorld();
    const { home, onDatabase } = world;
    const { agentRuntimeId } = await issueTo(world, "user-1");
    const found = await json(["authority", "find", agentRuntimeId.slice(0, -2), ...onDatabase], {
      home,
    });
    expect(found).toMatchObject({
      matches: [
        { kind: "agent", agent_runtime_id: agentRuntimeId, user_id: "user-1", state: "active" },
      ],
      events: [],
      more: false,
    });
    const [{ stop }] = found.matches;
    expect(stop.map(({ stops }: { stops: string }) => stops)).toEqual(["the agent", "its user"]);
    const words = String(stop[0].command).split(" ");
    expect(words.shift()).toBe("countersign");
    await output(words, { home });
    const after = await json(["authority", "find", agentRuntimeId, ...onDatabase], { home });
    expect(after.matches).toMatchObject([{ state: "revoked", stop: [] }]);
    const text = await output(["authority", "find", agentRuntimeId, ...onDatabase], { home });
    expect(text).toMatch(
      /^agent\n {2}agent_runtime_id +agent_[\s\S]*it has ended: nothing is left/,
    );
  });

  test("of a user, as text, on the registry that was searched", async () => {
    const world = await serverWorld();
    const { home, onDatabase } = world;
    await issueTo(world, "it's");
    const text = await output(["authority", "find", "it's", ...onDatabase], { home });
    expect(text).toContain(
      `  to stop the user: countersign authority users revoke --account acct-1 --user 'it'\\''s' --database ${onDatabase[1]}\n`,
    );
  });

  test("of all tokens of a name, and of the agents with a claim of this value, without what a terminal acts upon", async () => {
    const world = await serverWorld();
    const { home, onDatabase } = world;
    const { agentRuntimeId } = await issueTo(world, "user-1");
    const value = 'CI\u202e", ref="refs/heads/main';
    await operate(world, async (registry) => {
      const whose = {
        accountId: "acct-1",
        userId: "user-1",
        role: "human",
        ttlSeconds: 60,
      } as const;
      for (let i = 0; i < 2; i += 1)
        await registry.createAccessToken({ ...whose, name: "nightly build" });
    });
    const database = new DatabaseSync(String(onDatabase[1]).slice("sqlite:".length));
    database.prepare("update agents set claims = ?").run(JSON.stringify({ workflow: value }));
    database.prepare("insert into agent_claims values (?, ?)").run(agentRuntimeId, value);
    database.close();
    const find = (...args: string[]) => ["authority", "find", ...args, ...onDatabase];
    const { matches } = await json(find("nightly build"), { home });
    expect(matches).toMatchObject([
      { kind: "token", name: "nightly build", state: "active" },
      { kind: "token", name: "nightly build", state: "active" },
    ]);
    expect(matches[0].stop[0].command).toContain(`authority token revoke ${matches[0].id} `);
    const byClaim = await json(find(value), { home });
    expect(byClaim.matches).toMatchObject([
      { kind: "agent", agent_runtime_id: agentRuntimeId, claims: { workflow: value } },
    ]);
    const text = await output(find(agentRuntimeId), { home });
    expect(text).toMatch(/^ {2}claims +workflow="CI\\u202e\\", ref=\\"refs\/heads\/main"$/m);
  });

  test("of a pasted header, through the admin API, and sends no signature", async () => {
    const world = await serverWorld();
    const { home, onDatabase } = world;
    const { agentRuntimeId } = await issueTo(world, "user-1");
    const args = [
      "authority",
      "serve",
      "--json",
      "--listen",
      "127.0.0.1:0",
      "--log-level",
      "debug",
    ];
    const server = await startCountersign(
      [...args, "--admin-listen", "127.0.0.1:0", ...onDatabase],
      { home },
    );
    onTestFinished(() => server[Symbol.asyncDispose]());
    const [line] = await server.waitForLine(/^\{"listening":.*\}$/);
    const admin = String(JSON.parse(line).admin);
    const { token } = await operate(world, (registry) =>
      registry.createAccessToken({
        ...{ accountId: "ops", userId: "op-1", ttlSeconds: 60 },
        role: "read",
      }),
    );
    const header = signAssertion({
      agentRuntimeId,
      taskId: "task_01890000-0000-7000-8000-000000000002",
      key: AgentKey.generate(),
      timestamp: "2026-04-15T12:00:00Z",
    });
    const on = ["--authority", admin, "--authority-token", "env:ADMIN_TOKEN"];
    const found = await countersign(["authority", "find", "-", ...on], {
      home,
      env: { ADMIN_TOKEN: token },
      input: `Authorization: ${header}\n`,
      ownProcess: true,
    });
    expect(found.code, found.stderr).toBe(0);
    expect(found.stdout).toContain(
      `to stop the agent: countersign authority agents revoke ${agentRuntimeId} --authority ${admin} --authority-token env:ADMIN_TOKEN\n`,
    );
    server.kill("SIGTERM");
    const { stdout, stderr } = await server.exited;
    const payload = header.split(" ")[1] ?? "";
    const { signature } = JSON.parse(Buffer.from(payload, "base64url").toString());
    for (const text of [stdout, stderr, found.stdout, found.stderr]) {
      expect(text).not.toContain(payload);
      expect(text).not.toContain(signature);
    }
  });

  test("of a line of a gateway's audit file: of a task what stops it, of a caller that proved nothing its address", async () => {
    const world = await serverWorld();
    const { home, onDatabase } = world;
    const authority = await world.serve();
    await world.logIn(authority.url);
    const audit = join(world.folder.path, "audit.jsonl");
    const gateway = await world.start([
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
      ...["--authority", authority.url, "--audit", audit],
    ]);
    const task = await json(["task", "ensure"], { home, env: FEATURE_ON });
    const header = await output(["header"], { home, env: FEATURE_ON });
    const authorization = header.trim().replace("Authorization: ", "");
    const userAgent = "task_id=task_01890000-0000-7000-8000-000000000002";
    for (const headers of [{ authorization }, {}]) {
      await fetch(`${gateway.url}/v1`, { headers: { ...headers, "user-agent": userAgent } });
    }
    await expect.poll(() => readFileSync(audit, "utf8").split("\n")).toHaveLength(3);
    const [proven = "", refused = ""] = readFileSync(audit, "utf8").split("\n");
    const find = (line: string) =>
      json(["authority", "find", "-", ...onDatabase], { home, input: line });
    expect(JSON.parse(proven)).toMatchObject({ user_id: "user-1", user_agent: userAgent });
    expect((await find(proven)).matches).toMatchObject([
      { kind: "task", task_id: task.task_id },
      { kind: "agent", agent_runtime_id: task.agent_runtime_id },
    ]);
    expect(JSON.parse(refused)).toMatchObject({ code: "missing", address: "127.0.0.1" });
    const { events } = await find(refused);
    expect(events.map(({ action }: { action: string }) => action)).toContain("agent_registered");
  });

  test("the newest first, and says that there is more", async () => {
    const world = await serverWorld();
    const { home, onDatabase } = world;
    for (const user of ["user-1", "user-2", "user-3"]) await issueTo(world, user);
    const result = await countersign(
      ["authority", "find", "agent_", "--limit", "2", "--json", ...onDatabase],
      { home },
    );
    const { matches, more } = JSON.parse(result.stdout);
    expect(matches.map(({ user_id }: { user_id: string }) => user_id)).toEqual([
      "user-3",
      "user-2",
    ]);
    expect(more).toBe(true);
    expect(result.stderr).toContain("there is more of it");
  });
});
