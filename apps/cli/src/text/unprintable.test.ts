import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { CountersignError } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import {
  agentIdentityFeatures,
  FeatureFlagError,
  parseFeatureKey,
} from "@countersign/feature-flags";
import { temporaryDirectory } from "@countersign/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Run } from "../config/run.js";
import { withAuditFile } from "../serve/audit-file.js";
import { createLog } from "./log.js";
import { wordLogLine } from "./log-line.js";
import { createOutput } from "./output.js";

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

// In place of stderr.
const logged = vi.hoisted(() => ({ read: (): unknown => undefined }));

vi.mock(import("pino"), async (original) => {
  const pino = await original();
  const stream = Object.assign(new PassThrough(), { flushSync: () => undefined });
  logged.read = () => stream.read();
  return { ...pino, destination: (() => stream) as unknown as typeof pino.destination };
});

/** A stream that keeps what is written, and is no terminal. */
function keeping() {
  const stream = new PassThrough().setEncoding("utf8");
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => String(stream.read()) };
}

describe.each([
  ["a zero-width space", "\u200b"],
  ["a byte order mark", "\ufeff"],
  ["a soft hyphen", "\u00ad"],
  ["a tag", "\u{e0041}"],
  ["a lone surrogate", "\udc00"],
  ["a control of C1", "\u009b"],
  ["an override of the direction", "\u202e"],
])("%s of another's text", (_, character) => {
  const text = `pay${character}load`;
  const escaped = escapeText(text);

  test("is escaped in a command's errors, warnings and results", () => {
    const [stdout, stderr] = [keeping(), keeping()];
    const output = createOutput({ json: true, stdout: stdout.stream, stderr: stderr.stream });
    output.warn(text);
    output.error(new CountersignError("refused", text, { hint: text }), false);
    const said = stderr.text();
    expect(said.split(escaped)).toHaveLength(4);
    const printed = stdout.text();
    expect(JSON.parse(printed).error).toMatchObject({ message: text, hint: text });
    for (const line of [said, printed].join("").split("\n")) expect(line).not.toMatch(UNPRINTABLE);
  });

  test("is escaped in the log of an authority or proxy, as JSON and as words", () => {
    createLog({ level: "info", forPeople: false }).info({ path: text }, text);
    const shown = String(logged.read());
    expect(shown.slice(0, -1)).not.toMatch(UNPRINTABLE);
    expect(shown.endsWith("\n")).toBe(true);
    expect(JSON.parse(shown)).toMatchObject({ msg: text, path: text });
    const worded = stripVTControlCharacters(wordLogLine(shown, keeping().stream));
    expect(worded.slice(0, -1)).not.toMatch(UNPRINTABLE);
    expect(worded).toContain(escaped);
  });

  test("is escaped in the audit file of a proxy", async () => {
    const folder = await temporaryDirectory();
    onTestFinished(() => folder.remove());
    const path = join(folder.path, "audit.jsonl");
    const { signal } = new AbortController();
    const run = { signal, output: { warn: () => undefined } } as unknown as Run;
    await withAuditFile(run, { audit: path }, undefined, async ({ audit }) =>
      audit?.({ path: text }),
    );
    const entry = readFileSync(path, "utf8");
    expect(entry.slice(0, -1)).not.toMatch(UNPRINTABLE);
    expect(JSON.parse(entry)).toEqual({ path: text });
  });

  test("is escaped by feature-flags as everywhere else", () => {
    const thrown = (() => {
      try {
        return parseFeatureKey(agentIdentityFeatures, text);
      } catch (error) {
        return error;
      }
    })();
    expect(FeatureFlagError.is(thrown)).toBe(true);
    expect(String(thrown)).toContain(escaped);
  });
});
