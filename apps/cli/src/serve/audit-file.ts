import { isatty } from "node:tty";
import type { CloseOptions, ProxyMetrics } from "@countersign/assertion-proxy";
import type { Run } from "../config/run.js";
import { pathOption, reasonOf } from "../home/home.js";
import { closeOptionsOf, type DrainOptions } from "../options/drain-option.js";
import { onHangup } from "../process/on-hangup.js";
import { usageError } from "../text/cli-error.js";
import { createOutput } from "../text/output.js";
import { AuditSink, type AuditSinkEvents } from "./audit-sink.js";
import { openAuditTarget, stdoutTarget } from "./audit-target.js";

/** The options of servers that write an audit. */
export interface AuditOptions extends DrainOptions {
  readonly audit?: string | undefined;
  readonly auditFailure?: "serve" | "refuse" | undefined;
}

/** What a proxy needs of an audit, by the names of its options. */
export interface OpenAudit {
  readonly audit?: (entry: object) => void;
  /** Absent: requests are served whether or not their entries can be written. */
  readonly canAudit?: () => boolean;
}

const STDOUT = "-";
const STDIN_FILE = 0;
// For the last lines, if the drain took all its time.
const LAST_LINES_MS = 1_000;

/**
 * Returns the run as it is for a server that writes its audit on stdout: everything else is printed on stderr.
 *
 * @param hasLog - stderr is a log, whose lines say where the server listens: nothing else is printed there
 */
export function withFreeStdout(run: Run, { audit }: AuditOptions, hasLog = false): Run {
  if (audit !== STDOUT) return run;
  if (hasLog) return { ...run, output: { ...run.output, stdout: run.output.stderr, result() {} } };
  const { json, stderr } = run.output;
  const { result, style } = createOutput({ json, stdout: stderr, stderr });
  return { ...run, output: { ...run.output, stdout: stderr, result, style } };
}

/**
 * Does work with the audit that `--audit` names, a file or with `-` stdout, and closes it afterwards. For lines that nothing takes it waits until
 * the drain must be over, and at least a second. SIGHUP opens the file again; not of a
 * command at a terminal, whose end comes as the same signal.
 *
 * @param metrics - takes the figures of lines that wait or are lost
 * @throws {CliError} `usage` if the path is empty, or `--audit-failure` has no audit; `config_invalid` if the file cannot be opened
 */
export async function withAuditFile<T>(
  run: Run,
  options: AuditOptions,
  metrics: Pick<ProxyMetrics, "audit"> | undefined,
  work: (audit: OpenAudit) => Promise<T>,
): Promise<T> {
  const { audit: path, auditFailure } = options;
  if (path === undefined) {
    if (auditFailure === undefined) return await work({});
    throw usageError("--audit-failure is for --audit", "add --audit FILE, or leave it out");
  }
  const isStdout = path === STDOUT;
  const name = isStdout ? "on stdout" : pathOption(path, "--audit");
  const target = isStdout
    ? stdoutTarget
    : await openAuditTarget(name, {
        signal: run.signal,
        onWait: () => run.output.note(`the audit file ${name} is a pipe: waiting for its reader`),
      });
  const sink = new AuditSink(target, tellOf(run, isStdout ? name : `file ${name}`));
  metrics?.audit(() => sink.state);
  const leftMs = drainClock(run.signal, closeOptionsOf(options));
  using _ = isatty(STDIN_FILE) ? undefined : onHangup(async () => sink.reopen());
  try {
    return await work({
      audit: (entry) => sink.append(entry),
      ...(auditFailure === "refuse" ? { canAudit: () => sink.isWritten } : {}),
    });
  } finally {
    await sink.close(leftMs());
  }
}

/** Returns what is left of the time in which a server must have ended once it was asked to, and at least what the last lines get. */
function drainClock(signal: AbortSignal, { delayMs = 0, drainMs = 0 }: CloseOptions) {
  let endsAt: number | undefined;
  const start = () => {
    endsAt = performance.now() + 2 * delayMs + drainMs;
  };
  if (signal.aborted) start();
  signal.addEventListener("abort", start, { once: true });
  return () => Math.max(LAST_LINES_MS, (endsAt ?? 0) - performance.now());
}

function tellOf({ output }: Run, name: string): AuditSinkEvents {
  return {
    onFailure: (error) =>
      output.warn(`the audit ${name} is not written: ${reasonOf(error)}; its lines wait`),
    onLoss: () => output.warn(`the audit ${name} loses lines: too many wait to be written`),
    onRecovery: (lost) => output.note(`the audit ${name} is written again; lines lost: ${lost}`),
    onAbandoned: (lost) => output.warn(`the audit ${name} ends without its last lines: ${lost}`),
  };
}
