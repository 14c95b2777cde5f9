import { AgentKey } from "@countersign/agent-key";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { lockAgent } from "../src/registry/operate-agents.js";
import { instantOf } from "../src/registry/times.js";
import { NOON, TestedAuthority } from "./start-authority.js";

describe("two claims to one key", () => {
  it("are locked in one order by all that prove it, so that they cannot deadlock", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    const ids: string[] = [];
    for (const userId of ["user-1", "user-2"]) {
      const { body } = await tested.registerAgent(await tested.token("human", userId), key);
      ids.push(body.agent_runtime_id);
    }
    const [first = "", second = ""] = ids;
    const { proving } = await tested.store.transaction(async (rows) => {
      await lockAgent(
        rows,
        first,
        instantOf(() => NOON),
      );
      const proving = tested.registerTask(second, key);
      const own = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(rows);
      const waiting = async () => {
        const found = await sql<{ count: string }>`select count(*) as count from pg_stat_activity
          where ${own.rows[0]?.pid}::integer = any(pg_blocking_pids(pid))`.execute(
          tested.store.rows,
        );
        return Number(found.rows[0]?.count);
      };
      await expect.poll(waiting).toBe(1);
      // It waits for the first, and holds nothing that the first would wait for.
      const free = await rows
        .selectFrom("agents")
        .select("agent_runtime_id")
        .where("agent_runtime_id", "=", second)
        .forNoKeyUpdate()
        .skipLocked()
        .execute();
      expect(free).toHaveLength(1);
      return { proving };
    });
    expect((await proving).status).toBe(200);
    expect(await tested.authority.registry.listAgents()).toMatchObject([
      { agentRuntimeId: second, proven: true },
    ]);
  });
});
