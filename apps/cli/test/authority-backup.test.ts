import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { beforeEach, expect, test } from "vitest";
import { contentOf, countersign, expectError, json, output } from "./command-line.js";
import { type ServerWorld, serverWorld } from "./servers.js";

let world: ServerWorld;
let out: string;

beforeEach(async () => {
  world = await serverWorld();
  out = join(world.folder.path, "backup.db");
});

const backup = (...args: string[]) => ["authority", "backup", out, ...world.onDatabase, ...args];

test("rejects a database that is not there, and makes none", async () => {
  expectError(await countersign(backup(), world), "config_invalid", 2);
  expectError(await countersign(["authority", "backup", out], world), "config_invalid", 2);
  expect(contentOf(world.folder.path)).toEqual({});
});

test("rejects a file that exists, unless it is to be replaced", async () => {
  await world.createToken();
  await writeFile(out, "mine");
  const before = contentOf(world.folder.path)[out];
  const refused = await countersign(backup(), world);
  expectError(refused, "config_invalid", 2);
  expect(refused.stderr).toContain("--force");
  expect(contentOf(world.folder.path)[out]).toBe(before);
  await output(backup("--force"), world);
  expect(contentOf(world.folder.path)[out]).not.toBe(before);
});

test("is taken while an authority registers, and has everything that it acknowledged before", async () => {
  const listen = ["--listen", "127.0.0.1:0"];
  const many = { COUNTERSIGN_AUTHORITY_MAX_LIVE_AGENTS: "100000" };
  const serve = ["authority", "serve", ...listen, ...world.onDatabase];
  const { url } = await world.start(serve, many);
  const token = await world.createToken();
  const registered: string[] = [];
  let going = true;
  // An agent counts from its first task on.
  const register = async () => {
    while (going) {
      const key = AgentKey.generate();
      const { agent_runtime_id: id } = await post(
        `${url}/v1/agent/register`,
        {
          abom: { agent_version: "1", agent_harness_id: "test", running_location: "test" },
          agent_public_key: key.publicKey.line,
          capabilities: [],
        },
        { authorization: `Bearer ${token}` },
      );
      const timestamp = formatTimestamp(Date.now());
      const signature = key.signText(`${id}:${timestamp}`);
      await post(`${url}/v1/agent/${id}/task/register`, { signature, timestamp });
      registered.push(String(id));
    }
  };
  const registering = register();
  await expect.poll(() => registered.length).toBeGreaterThan(3);
  const acknowledged = [...registered];
  const described = await json(backup(), world);
  going = false;
  await registering;
  expect(described).toEqual({ file: out, bytes: (await stat(out)).size });
  expect((await stat(out)).mode & 0o777).toBe(0o600);

  const onBackup = ["--database", `sqlite:${out}`];
  await world.start(["authority", "serve", ...listen, ...onBackup]);
  const agents = await json(["authority", "agents", "list", ...onBackup], world);
  const ids = agents.map((agent: { agent_runtime_id: string }) => agent.agent_runtime_id);
  expect(ids).toEqual(expect.arrayContaining(acknowledged));
});

async function post(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}
