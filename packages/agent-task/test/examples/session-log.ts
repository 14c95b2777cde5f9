import { appendFile, readFile } from "node:fs/promises";
import { parseStoredThread, type StoredThread, type TaskStore } from "@countersign/agent-task";

/** Keeps tasks as lines of a session log that a harness has anyway; the last line of a thread counts. */
export function sessionLogStore(file: string): TaskStore {
  return {
    async load(scope) {
      const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
      const records: { type: string; thread: StoredThread }[] = lines.map((line) =>
        JSON.parse(line),
      );
      const last = records.findLast(
        ({ type, thread }) => type === "agent_task" && thread.scope === scope,
      );
      return last === undefined ? undefined : parseStoredThread(last.thread, file, scope);
    },
    async save(_scope, thread) {
      await appendFile(file, `${JSON.stringify({ type: "agent_task", thread })}\n`);
    },
  };
}
