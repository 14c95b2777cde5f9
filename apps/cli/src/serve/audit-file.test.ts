import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import type { Run } from "../config/run.js";
import { withAuditFile } from "./audit-file.js";

vi.mock(import("node:fs"), async (original) => {
  const fs = await original();
  return { ...fs, appendFileSync: vi.fn(fs.appendFileSync) };
});

test("has an entry in its file before another can be made, by one write", async () => {
  const { run, path } = scene();
  await withAuditFile(run, path, async (append) => {
    vi.mocked(appendFileSync).mockClear();
    for (const status of [200, 401]) {
      append?.({ status });
      expect(readFileSync(path, "utf8")).toMatch(new RegExp(`\\{"status":${status}\\}\n$`));
    }
  });
  expect(appendFileSync).toHaveBeenCalledTimes(2);
  expect(readFileSync(path, "utf8")).toBe('{"status":200}\n{"status":401}\n');
});

test("warns once that it cannot be written, and writes nothing behind half a line", async () => {
  const { run, path, warnings } = scene();
  await withAuditFile(run, path, async (append) => {
    append?.({ status: 200 });
    vi.mocked(appendFileSync).mockImplementationOnce(() => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write" });
    });
    for (const status of [201, 202, 203]) append?.({ status });
  });
  expect(warnings).toEqual([`the audit file ${path} is not written: no space left`]);
  expect(readFileSync(path, "utf8")).toBe('{"status":200}\n');
});

test.skipIf(process.platform === "win32")("waits for no reader of a pipe", async () => {
  const { run, path } = scene();
  execFileSync("mkfifo", [path]);
  const reader = readFile(path, "utf8");
  await withAuditFile(run, path, async (append) => {
    // More than a pipe holds.
    for (let entry = 0; entry < 2_000; entry += 1) append?.({ entry, text: "x".repeat(100) });
  });
  const lines = (await reader).trimEnd().split("\n");
  expect(lines).toHaveLength(2_000);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ entry: 1_999 });
});

function scene() {
  const folder = mkdtempSync(join(tmpdir(), "audit-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const warnings: string[] = [];
  const run = { output: { warn: (message: string) => warnings.push(message) } } as unknown as Run;
  return { run, path: join(folder, "audit.jsonl"), warnings };
}
