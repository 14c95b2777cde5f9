import { styleText } from "node:util";
import { escapeText } from "@countersign/agent-key/escaping";

const COLOURS = { error: "red", warn: "yellow", info: "cyan", debug: "gray" } as const;

/**
 * Words one JSON line of a log for a person at a terminal: time of day, level, message, then the fields.
 *
 * @param stream - decides about colours
 */
export function wordLogLine(line: string, stream: NodeJS.WriteStream): string {
  const { time, level, msg, err, ...fields } = parseLine(line);
  const clock = String(time).slice(11, 19);
  const colour = COLOURS[String(level) as keyof typeof COLOURS] ?? "gray";
  const words = Object.entries(fields).map(([name, value]) => `${name}=${wordValue(value)}`);
  const head = `${clock} ${styleText(colour, String(level).padEnd(5), { stream })}`;
  const stack = isRecord(err) && typeof err.stack === "string" ? err.stack.split("\n") : [];
  return `${[
    `${head} ${escapeText([String(msg), ...words].join(" "))}`,
    ...stack.map((frame) => `  ${escapeText(frame)}`),
  ].join("\n")}\n`;
}

function wordValue(value: unknown): string {
  return typeof value === "string" && !/[\s"]/.test(value) ? value : JSON.stringify(value);
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(line);
  return isRecord(parsed) ? parsed : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
