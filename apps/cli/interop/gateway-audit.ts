import { readFile } from "node:fs/promises";

/** One line of the gateway's audit file. */
export interface AuditLine {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code?: string;
  readonly agent_runtime_id?: string;
  readonly task_id?: string;
  readonly account_id?: string;
}

/** Reads a gateway's audit file. */
export async function readAudit(file: string): Promise<AuditLine[]> {
  const text = await readFile(file, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line): AuditLine => JSON.parse(line));
}
