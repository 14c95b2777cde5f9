import { setTimeout as wait } from "node:timers/promises";
import { formatTimestamp } from "@countersign/agent-key";
import { sql } from "kysely";
import type { AuthorityStore } from "./authority-store.js";

const TABLES = {
  agents: {
    id: sql.ref<string>("agent_runtime_id"),
    proven: sql`proven_at is not null`,
    // An ephemeral agent without an end has ended, see `lifeStateOf`.
    lasting: sql`ephemeral = 0`,
  },
  tasks: { id: sql.ref<string>("task_id"), proven: sql`true`, lasting: sql`true` },
};

/** How a table is counted. */
export interface CountPace {
  /** How many rows one query reads. */
  readonly stepRows: number;
  /** Milliseconds between two queries. */
  readonly pauseMs: number;
}

/**
 * Counts the agents or the tasks that are `active` and have not ended, by their own rows: those of a revoked user or account are among them, as are
 * the tasks of a revoked agent.
 *
 * The table is read in its order of ids, some rows at a time: with SQLite a count of a million rows in one query would stop the process for as
 * long as it runs. What changes before the end may be counted as it was or as it is.
 *
 * @returns `undefined` if the store was closed before the end
 */
export async function countLive(
  store: AuthorityStore,
  table: "agents" | "tasks",
  { stepRows, pauseMs }: CountPace,
): Promise<number | undefined> {
  const { id, proven, lasting } = TABLES[table];
  const now = formatTimestamp(store.now());
  let live = 0;
  for (let last = ""; ; ) {
    const { rows } = await sql<{
      seen: number;
      last: string | null;
      live: number | null;
    }>`select count(*) as seen, max(id) as last,
        sum(case when state = 'active' and proven and ((expires_at is null and lasting) or expires_at > ${now}) then 1 else 0 end) as live
      from (
        select ${id} as id, state, expires_at, ${proven} as proven, ${lasting} as lasting
        from ${sql.table(table)} where ${id} > ${last} order by ${id} limit ${sql.lit(stepRows)}
      ) as step`.execute(store.rows);
    const [step] = rows;
    live += Number(step?.live ?? 0);
    last = step?.last ?? "";
    if (Number(step?.seen ?? 0) < stepRows) return live;
    await wait(pauseMs, undefined, { ref: false });
    if (store.isClosed) return undefined;
  }
}
