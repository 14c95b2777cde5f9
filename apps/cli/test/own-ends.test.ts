import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRegistry, openStore, type Registry } from "@countersign/agent-authority";
import { fileStore } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { countersign, expectError, json, output, storeLogin } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

let world: ServerWorld;
let options: { readonly home: string; readonly env: Readonly<Record<string, string>> };
let authority: string;
let registry: Registry;

beforeEach(async () => {
  world = await serverWorld();
  options = { home: world.home, env: { ...FEATURE_ON } };
  authority = (await world.serve()).url;
  const [, database = ""] = world.onDatabase;
  const store = await openStore(database);
  onTestFinished(() => store.close());
  registry = createRegistry(store);
});

/** Logs a job in and registers its agent and a task. Then the job's token ends. */
async function startJob(): Promise<{ readonly agent: string; readonly task: string }> {
  const token = await world.createToken();
  const login = ["login", "--authority", authority, "--token-stdin", "--ephemeral"];
  await output(login, { ...options, input: token });
  const registered = await json(["task", "ensure", "--thread", "job"], options);
  const [human] = await registry.listAccessTokens({ role: "human" });
  await registry.revokeAccessToken(human?.id ?? "");
  return { agent: registered.agent_runtime_id, task: registered.task_id };
}

test("logout --revoke ends the agent of a job whose token is over", async () => {
  const { agent, task } = await startJob();
  expect(await registry.getAgent(agent)).toMatchObject({ ephemeral: true, state: "active" });
  expect(await json(["logout", "--revoke"], options)).toEqual({
    logged_out: true,
    revoked_agent: agent,
  });
  expect(await registry.getAgent(agent)).toMatchObject({ state: "revoked" });
  expect(await registry.getTask(task)).toMatchObject({ state: "revoked" });
  expect(await fileStore(world.home).load()).toMatchObject({ login: null, identities: [] });
});

test("task forget --revoke ends the task alone, also without a login", async () => {
  const { agent, task } = await startJob();
  await output(["logout"], options);
  const forget = ["task", "forget", "--thread", "job", "--revoke"];
  expect(await json(forget, options)).toEqual({
    scope: "job",
    forgotten: true,
    revoked_tasks: [task],
  });
  expect(await registry.getTask(task)).toMatchObject({ state: "revoked" });
  expect(await registry.getAgent(agent)).toMatchObject({ state: "active" });
  expect(await json(forget, options)).toEqual({
    scope: "job",
    forgotten: false,
    revoked_tasks: [],
  });
});

test("task forget --revoke forgets nothing where the agent is not here", async () => {
  const { task } = await startJob();
  await fileStore(world.home).update((current) => ({ ...current, identities: [] }));
  const forget = ["task", "forget", "--thread", "job", "--revoke"];
  expectError(await countersign(forget, options), "no_identity", 3);
  expect(await registry.getTask(task)).toMatchObject({ state: "active" });
  expect(await json(["task", "list"], options)).toMatchObject([{ task_id: task }]);
});

test("identity revoke ends an agent with its own key too", async () => {
  const { agent } = await startJob();
  expect(await json(["identity", "revoke"], options)).toMatchObject({ agent_state: "revoked" });
  expect(await registry.getAgent(agent)).toMatchObject({ state: "revoked" });
});

test("an agent whose key the authority refuses is revoked with the token", async () => {
  const { agent } = await startJob();
  await storeLogin(world.home, { authority, accessToken: await world.createToken() });
  const other = AgentKey.generate().exportPkcs8();
  // Another key, as where a rotation was finished elsewhere.
  await fileStore(world.home).update((current) => ({
    ...current,
    identities: current.identities.map((entry) => ({ ...entry, private_key: other })),
  }));
  await json(["logout", "--revoke"], options);
  expect(await registry.getAgent(agent)).toMatchObject({ state: "revoked" });
});

test("an agent whose key and token the authority refuses is not revoked, and the refusal of the key is told first", async () => {
  const { agent } = await startJob();
  const other = AgentKey.generate().exportPkcs8();
  await fileStore(world.home).update((current) => ({
    ...current,
    identities: current.identities.map((entry) => ({ ...entry, private_key: other })),
  }));
  const failed = await countersign(["identity", "revoke"], options);
  expectError(failed, "bad_signature", 4);
  expect(failed.stderr).toMatch(
    /the signature does not hold.*the token of the login was refused too/s,
  );
  expect(await registry.getAgent(agent)).toMatchObject({ state: "active" });
});

test("doctor warns of 80 % of a limit, and is silent below it", async () => {
  const limited = await world.serve(["--config", await limitsFile("max_live_agents = 1")]);
  await world.logIn(limited.url);
  expect(await limitsOf()).toBeUndefined();
  await output(["identity", "ensure"], options);
  expect(await limitsOf()).toMatchObject({
    state: "warn",
    message: expect.stringContaining("1 of 1 live agents"),
    remedy: expect.stringContaining("countersign logout --revoke"),
  });
});

test("doctor warns of 80 % of the live tasks that the agent may have, and is silent below it", async () => {
  const limited = await world.serve(["--config", await limitsFile("max_live_tasks = 5")]);
  await world.logIn(limited.url);
  for (const thread of ["one", "two", "three"]) {
    await output(["task", "ensure", "--thread", thread], options);
  }
  expect(await limitsOf()).toBeUndefined();
  await output(["task", "ensure", "--thread", "four"], options);
  expect(await limitsOf()).toEqual({
    name: "limits",
    state: "warn",
    message:
      "the agent has 4 of 5 live tasks; at the limit, no further task is registered (task_limit)",
    remedy: expect.stringContaining("countersign task forget --revoke"),
  });
});

async function limitsOf(): Promise<unknown> {
  const { checks } = await json(["doctor"], options);
  return checks.find(({ name }: { readonly name: string }) => name === "limits");
}

async function limitsFile(line: string): Promise<string> {
  const file = join(world.folder.path, "limits.toml");
  await writeFile(file, `${line}\n`, { mode: 0o600 });
  return file;
}
