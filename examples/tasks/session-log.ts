import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseStoredThread, type TaskStore } from "@countersign/agent-task";

/** Keeps tasks as lines of a session log that a harness has anyway; the last line of a thread counts. */
export function sessionLogStore(file: string): TaskStore {
  return {
    async load(scope) {
      const last = (await readLog(file)).findLast(
        (record) => record?.type === "agent_task" && record.thread?.scope === scope,
      );
      return last?.thread === undefined ? undefined : parseStoredThread(last.thread, file, scope);
    },
    async save(_scope, thread) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      // The first line break ends a line that a crash tore.
      await appendFile(file, `\n${JSON.stringify({ type: "agent_task", thread })}\n`, {
        mode: 0o600,
      });
    },
  };
}

interface LogRecord {
  readonly type?: unknown;
  readonly thread?: { readonly scope?: unknown };
}

async function readLog(file: string): Promise<(LogRecord | null)[]> {
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return []; // torn by a crash: what it was is registered again
    }
  });
}
