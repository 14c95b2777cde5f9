import { escapeLines } from "@countersign/agent-key/escaping";
import { hideCredentials } from "@countersign/agent-key/redaction";
import { type DestinationStream, destination, pino, stdTimeFunctions } from "pino";
import { wordLogLine } from "./log-line.js";

/** The levels of a log, from the most lines to none. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The log of a server. No call passes a secret by intent. Anything that looks like one is hidden anyway. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Options of {@link createLog}. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Lines for a person instead of JSON, where stderr is a terminal. */
  readonly forPeople: boolean;
}

const STDERR = 2;
// The bytes of lines that wait while the reader of stderr is slow. Further lines are dropped; the server goes on, and later logs their number.
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** Makes the log of a server: JSON lines on stderr with `time` (ISO 8601), `level`, `msg` and fields; words on a terminal. */
export function createLog({ level, forPeople }: LogOptions): Log {
  const { stderr } = process;
  const stream = forPeople && stderr.isTTY ? wordedStream(stderr) : jsonStream(() => log);
  const log: Log = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      hooks: { streamWrite: (line) => escapeLines(hideCredentials(line)) },
    },
    stream,
  );
  return log;
}

function wordedStream(stderr: NodeJS.WriteStream): DestinationStream {
  return { write: (line) => void stderr.write(wordLogLine(line, stderr)) };
}

function jsonStream(log: () => Log): DestinationStream {
  const stream = destination({ dest: STDERR, sync: false, maxLength: MAX_WAITING_BYTES });
  let dropped = 0;
  stream.on("drop", () => {
    dropped += 1;
  });
  stream.on("drain", () => {
    const lines = dropped;
    dropped = 0;
    if (lines > 0) log().warn({ lines }, "log lines were dropped: what reads stderr is too slow");
  });
  // The reader of stderr has gone. The server goes on without a log.
  stream.on("error", () => {});
  process.once("exit", () => {
    try {
      stream.flushSync();
    } catch {
      // The reader of stderr has gone, so there is no place left to report this.
    }
  });
  return stream;
}

const MAX_CAUSES = 5;

// What errors carry besides, such as the parameters of a query, is not ours to log.
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  return {
    type: error.name,
    message: error.message,
    ...("code" in error ? { code: error.code } : {}),
    stack: error.stack,
    ...(error.cause !== undefined && depth < MAX_CAUSES
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
  };
}
