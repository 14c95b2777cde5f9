import { AgentKey } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRegistry, databaseDirectory, openStore } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { kill, runProgram, startProgram } from "./run-process.js";
import { agentBody, TestedAuthority } from "./start-authority.js";
import { createTestDatabase, type TestDatabase } from "./test-database.js";

let own: TestDatabase;
let database: string;

beforeEach(async () => {
  own = await createTestDatabase();
  database = own.url;
});

afterEach(() => own.drop());

describe("two processes on one database", () => {
  it("agree: what one revokes, the authority of the other refuses at its next request (G-A48)", async () => {
    await using tested = await TestedAuthority.start({ database });
    const directory = databaseDirectory(tested.store, tested.url);
    const { id, key, token } = await tested.agent();
    const { body } = await tested.registerTask(id, key);
    const box = Buffer.from(body.encrypted_task_id, "base64");
    const taskId = Buffer.from(openSealedBox(box, key)).toString();
    const path = `/v1/agent/${id}/task/${taskId}`;
    expect((await tested.call("GET", path)).body.task.state).toBe("active");

    await runProgram("operator", database, "revoke-task", taskId);
    expect((await tested.call("GET", path)).body.task.state).toBe("revoked");
    expect((await directory.task(id, taskId))?.state).toBe("revoked");

    await runProgram("operator", database, "revoke-agent", id);
    expect((await tested.call("GET", path)).body.agent_state).toBe("revoked");
    expect((await directory.agent(id))?.state).toBe("revoked");
    expectRefusal(await tested.registerTask(id, key), 401, "agent_revoked");

    const [humanToken] = await tested.authority.registry.listAccessTokens();
    await runProgram("operator", database, "revoke-token", humanToken?.id ?? "");
    const headers = { authorization: `Bearer ${token}` };
    expectRefusal(await tested.call("GET", "/v1/whoami", { headers }), 401, "unauthenticated");
  });

  it("may open a new file at the same moment, and lose no write", async () => {
    const counts = await Promise.all(
      Array.from({ length: 6 }, () => runProgram("operator", database, "create-tokens", "10")),
    );
    expect(counts).toEqual(Array.from({ length: 6 }, () => 10));
    await using store = await openStore(database);
    const registry = createRegistry(store);
    expect(await registry.listAccessTokens()).toHaveLength(60);
    expect(await registry.listAuditEvents()).toHaveLength(60);
  });

  it("may open a new file at the same moment within one process", async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(database)));
    for (const store of stores) {
      expect(await createRegistry(store).listAgents()).toEqual([]);
      await store.close();
    }
  });
});

describe("an authority that is killed", () => {
  it("has lost no registration that it acknowledged (G-A48)", async () => {
    await using store = await openStore(database);
    const registry = createRegistry(store);
    const { token } = await registry.createAccessToken({
      accountId: "acct-1",
      userId: "user-1",
      role: "human",
      ttlSeconds: 3_600,
    });
    const { line: url, child } = await startProgram("authority", [database]);
    const acknowledged: string[] = [];
    const client = async (): Promise<void> => {
      for (;;) {
        const response = await fetch(`${url}/v1/agent/register`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body: JSON.stringify(agentBody(AgentKey.generate())),
        });
        const answer = (await response.json()) as { agent_runtime_id: string };
        // A busy authority may turn a request away.
        if (!response.ok) continue;
        acknowledged.push(answer.agent_runtime_id);
        // In the middle of the others' requests.
        if (acknowledged.length === 25) await kill(child);
      }
    };
    try {
      await Promise.allSettled([client(), client(), client()]);
    } finally {
      await kill(child);
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(25);
    const kept = new Set((await registry.listAgents()).map((agent) => agent.agentRuntimeId));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  });
});
