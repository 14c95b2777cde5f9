import type { AuditEntry } from "@countersign/assertion-proxy";
import type { Run } from "../config/run.js";
import { createLog, type Log, type LogLevel } from "../text/log.js";

/** A server's run whose stderr is a log. */
export interface LoggedRun {
  readonly run: Run;
  /** Absent: stderr has notes and warnings as text, and no line for a request. */
  readonly log: Log | undefined;
}

/** Makes a log of what a server says on stderr, if a level is given: JSON lines, or words on a terminal. */
export function withLog(run: Run, level: LogLevel | undefined): LoggedRun {
  if (level === undefined) return { run, log: undefined };
  const log = createLog({ level, forPeople: !run.output.json });
  const note = (line: string): void => log.info({}, line);
  const warned = new Set<string>();
  const warn = (message: string): void => log.warn({}, message);
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) warn(message);
    warned.add(message);
  };
  return { run: { ...run, output: { ...run.output, note, warn }, warnOnce }, log };
}

const SERVER_ERROR = 500;

/** Logs the end of a request: as `warn` if the gateway or its upstream failed, `info` if it was refused or broken off, otherwise `debug`. */
export function logRequest(log: Log, entry: AuditEntry): void {
  const { request_id, address, method, path, status, ms, code, agent_runtime_id, task_id } = entry;
  const fields = { request_id, address, method, path, status, ms, code, agent_runtime_id, task_id };
  const level = status >= SERVER_ERROR ? "warn" : code === undefined ? "debug" : "info";
  log[level](fields, "request");
}
