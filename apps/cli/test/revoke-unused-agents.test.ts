import { DatabaseSync } from "node:sqlite";
import { createRegistry, openStore } from "@countersign/agent-authority";
import { beforeEach, expect, test } from "vitest";
import { countersign, expectError, json, output } from "./command-line.js";
import { FEATURE_ON } from "./fresh-home.js";
import { type ServerWorld, serverWorld } from "./servers.js";

let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
  await world.createToken();
});

const databaseOf = () => world.onDatabase[1] ?? "";

async function issueTo(userId: string): Promise<string> {
  await using store = await openStore(databaseOf());
  const registry = createRegistry(store, { generations: ["B", "C"] });
  const human = { accountId: "acct-1", userId, ttlSeconds: 3600 };
  return (await registry.issueIdentity(human)).agentRuntimeId;
}

/** Lets agents have been registered last year. */
function age(...ids: readonly string[]): void {
  const database = new DatabaseSync(databaseOf().replace("sqlite:", ""));
  const statement = database.prepare(
    "update agents set created_at = '2025-01-01T00:00:00Z' where agent_runtime_id = ?",
  );
  for (const id of ids) expect(statement.run(id).changes).toBe(1);
  database.close();
}

const revoke = (...args: string[]) =>
  countersign(["authority", "agents", "revoke", ...world.onDatabase, ...args], {
    home: world.home,
  });

async function active(): Promise<string[]> {
  const agents = await json(
    ["authority", "agents", "list", "--state", "active", ...world.onDatabase],
    { home: world.home },
  );
  return agents.map((agent: { agent_runtime_id: string }) => agent.agent_runtime_id).sort();
}

test.each([
  ["no id and nothing else", []],
  ["everybody's", ["--unused-since", "30d"]],
  ["a user's without a time", ["--user", "user-1"]],
  ["an id and a user", ["agent_1", "--user", "user-1"]],
  ["an id with --dry-run", ["agent_1", "--dry-run"]],
  ["a time that is no time", ["--user", "user-1", "--unused-since", "soon"]],
  ["a reason that is empty", ["--user", "user-1", "--unused-since", "30d", "--reason", ""]],
])("agents revoke refuses %s, and revokes nothing", async (_, args) => {
  const id = await issueTo("user-1");
  age(id);
  expectError(await revoke(...args), "usage", 2);
  expect(await active()).toEqual([id]);
});

test("agents revoke --unused-since ends the unused agents of a user alone, and spares those that registered a task since", async () => {
  const authority = await world.serve();
  await world.logIn(authority.url);
  const { agent_runtime_id: atWork } = await json(["task", "ensure"], {
    home: world.home,
    env: FEATURE_ON,
  });
  const unused = [await issueTo("user-1"), await issueTo("user-1")].sort();
  const ofAnother = await issueTo("user-2");
  age(atWork, ...unused, ofAnother);
  const young = await issueTo("user-1");
  const all = [atWork, ...unused, ofAnother, young].sort();
  const many = ["--user", "user-1", "--unused-since", "30d"];

  const dry = await revoke(...many, "--dry-run");
  for (const id of unused) expect(dry.stdout).toContain(id);
  expect(dry.stdout).not.toContain(atWork);
  expect(dry.stderr).toContain("2 agents would be revoked");
  expect(await active()).toEqual(all);

  const done = await revoke(...many, "--reason", "spring", "--json");
  expect(done.code, done.stderr).toBe(0);
  expect(JSON.parse(done.stdout)).toHaveLength(2);
  expect(done.stderr).toContain("revoked 2 agents");
  expect(done.stderr).toContain("spared 1 agent: with a task that was registered since");
  expect(await active()).toEqual([atWork, ofAnother, young].sort());
  const events = await output(
    ["authority", "audit", "tail", "--action", "agent_revoked", "--json", ...world.onDatabase],
    { home: world.home },
  );
  const reasons = events
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).reason);
  expect(reasons).toEqual(["spring", "spring"]);

  const again = await revoke(...many);
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining("revoked 0 agents") });
});
