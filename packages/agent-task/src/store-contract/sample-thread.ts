import type { StoredTask, StoredThread } from "../schema/stored-thread.js";

/** A thread with as many tasks, each of another agent, and with members that a store does not know. */
export function sampleThread(scope: string, tasks = 1): StoredThread {
  return {
    version: 1,
    scope,
    tasks: Array.from({ length: tasks }, (_, index) => sampleTask(index + 1)),
    later: { colour: "blau", list: [1, null, "\u{1F9F5}"] },
  };
}

function sampleTask(number: number): StoredTask {
  return {
    authority: "https://authority.example",
    agent_runtime_id: `agent_${number}`,
    task_id: `task_${number}`,
    registered_at: "2026-03-23T12:00:00Z",
    ...(number % 2 === 0 ? { expires_at: "2026-04-16T00:00:00Z" } : {}),
    note: `kept ${number}`,
  };
}
