import type { FigureRow } from "../harness/row.ts";
import { quartiles } from "../harness/statistics.ts";
import { runFleet } from "./fleet-behind-one-address.ts";
import { onStage } from "./stage.ts";

/** The row of a fleet that shares its address with a flood of bad tokens, with the limits of an authority that has no others set. */
export function fleetRow(name: string, kind: "SQLite" | "PostgreSQL"): FigureRow {
  return {
    kind: "figure",
    name,
    title: `runners without an agent or a task, of 1,000 that share an address with bad tokens, ${kind}`,
    against: "none: each runner is to get both, with the default limits",
    unit: "runners",
    goal: { limit: "at most", value: 0 },
    tooLongForQuick: "it starts a fleet",
    measure: ({ progress, signal }) =>
      onStage(async (stage) => {
        await using _ = stage;
        const { runners, agents, tasks, flood, ms } = await runFleet(stage, kind, signal);
        const bad = [...flood].map(([status, count]) => `${count} × ${status}`).join(", ");
        progress(`${agents} agents, ${tasks} tasks in ${(ms / 1_000).toFixed(0)} s; flood: ${bad}`);
        return quartiles([runners - tasks]);
      }),
  };
}
