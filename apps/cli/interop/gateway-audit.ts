import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

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

// A line is written when its exchange is over, which a client may see a moment earlier.
const MAX_WAIT_MS = 10_000;

/**
 * Reads a gateway's audit file.
 *
 * @param isWhole - waits, a while at most, until this holds for the lines
 */
export async function readAudit(
  file: string,
  isWhole: (lines: readonly AuditLine[]) => boolean = () => true,
): Promise<AuditLine[]> {
  const end = Date.now() + MAX_WAIT_MS;
  for (;;) {
    const lines = parseLines(await readFile(file, "utf8"));
    if (isWhole(lines) || Date.now() > end) return lines;
    await sleep(20);
  }
}

function parseLines(text: string): AuditLine[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line): AuditLine => JSON.parse(line));
}
