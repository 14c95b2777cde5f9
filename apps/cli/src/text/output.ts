import { stripVTControlCharacters, styleText } from "node:util";
import type { CountersignError } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import { hideCredentials } from "@countersign/agent-key/redaction";
import { hintOf } from "./exit-code.js";

/** Options of {@link createOutput}. */
export interface OutputOptions {
  /** Print one JSON document (or one for each line of a stream) instead of text. */
  readonly json: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Where commands print: results on stdout, everything else on stderr. */
export interface Output {
  readonly json: boolean;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Prints the result: `value` as JSON with `--json`, else the lines of `text`. */
  result(value: unknown, text: () => string | readonly string[]): void;
  /** Prints one line on stderr. */
  note(line: string): void;
  /** Prints a warning on stderr. It may name what a client or server sent: credentials in it are hidden, as in errors. */
  warn(message: string): void;
  /** Prints an error and its hint on stderr; with `--json` also as a document on stdout, unless one is there. */
  error(error: CountersignError, resultPrinted: boolean): void;
  /** Styles a text for stdout, if that is a terminal which wants colours. */
  style(format: Parameters<typeof styleText>[0], text: string): string;
}

/** Makes the {@link Output} of one command. `NO_COLOR` and a stream that is no terminal turn colours off. */
export function createOutput({ json, stdout, stderr }: OutputOptions): Output {
  const paint = (
    stream: NodeJS.WriteStream,
    format: Parameters<typeof styleText>[0],
    text: string,
  ) => styleText(format, text, { stream });
  const note = (line: string): void => {
    stderr.write(`${line}\n`);
  };
  return {
    json,
    stdout,
    stderr,
    note,
    result(value, text) {
      if (json) {
        stdout.write(`${formatJson(value)}\n`);
        return;
      }
      const lines = text();
      const joined = typeof lines === "string" ? lines : lines.join("\n");
      if (joined !== "") stdout.write(`${joined}\n`);
    },
    warn(message) {
      note(`${paint(stderr, "yellow", "warning:")} ${escapeText(hideCredentials(message))}`);
    },
    error(error, resultPrinted) {
      const { code, retryable } = error;
      const message = hideCredentials(error.message);
      const hint = hideCredentials(hintOf(error));
      note(`${paint(stderr, "red", "error:")} ${escapeText(message)} (${code})`);
      note(`${paint(stderr, "cyan", "hint:")} ${escapeText(hint)}`);
      if (!json || resultPrinted) return;
      stdout.write(`${formatJson({ error: { code, message, hint, retryable } })}\n`);
    },
    style(format, text) {
      return paint(stdout, format, text);
    },
  };
}

// JSON escapes C0 alone. The rest of what a terminal acts upon is written as `\u…` too, which every parser reads as the same text.
function formatJson(value: unknown): string {
  return escapeText(JSON.stringify(value));
}

/** Lays rows out in columns, each as wide as its widest cell; texts from elsewhere are escaped by the caller. */
export function formatColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (cell: string): number => stripVTControlCharacters(cell).length;
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join("  ")
      .trimEnd(),
  );
}
