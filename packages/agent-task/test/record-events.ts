import type { AgentTaskManager } from "../src/agent-task-manager.js";
import type { AgentTaskEvents } from "../src/task-events.js";

const NAMES = [
  "registering",
  "waiting",
  "retrying",
  "registered",
  "reused",
  "discarded",
  "failed",
  "fallback",
] as const satisfies (keyof AgentTaskEvents)[];

/** Every event of a manager from now on, in order. */
export function recordEvents(tasks: AgentTaskManager): [string, object][] {
  const events: [string, object][] = [];
  for (const name of NAMES) tasks.on(name, (event: object) => events.push([name, event]));
  return events;
}
