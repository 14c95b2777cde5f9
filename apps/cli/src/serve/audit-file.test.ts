import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Run } from "../config/run.js";
import { withAuditFile } from "./audit-file.js";
import type { AuditState } from "./audit-queue.js";

// How many bytes the disk still takes, and how often it was written to.
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY, writes: 0 }));

vi.mock(import("node:fs"), async (original) => {
  const fs = await original();
  const writeSync = (file: number, bytes: Buffer) => {
    disk.writes += 1;
    const taken = Math.min(disk.room, bytes.length);
    disk.room -= taken;
    if (taken > 0) return fs.writeSync(file, bytes.subarray(0, taken));
    throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write" });
  };
  return { ...fs, writeSync: writeSync as typeof fs.writeSync };
});

beforeEach(() => {
  disk.room = Number.POSITIVE_INFINITY;
  disk.writes = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

const RETRY_MS = 1_000;

test("rejects --audit-failure without an audit", async () => {
  const { run } = scene();
  const refused = withAuditFile(run, { auditFailure: "refuse" }, undefined, async () => {});
  await expect(refused).rejects.toMatchObject({ code: "usage" });
});

test("has an entry in its file before another can be made, by one write", async () => {
  const { open, path } = scene();
  await open(async ({ audit }) => {
    for (const status of [200, 401]) {
      audit({ status });
      expect(readFileSync(path, "utf8")).toMatch(new RegExp(`\\{"status":${status}\\}\n$`));
    }
  });
  expect(disk.writes).toBe(2);
  expect(readFileSync(path, "utf8")).toBe('{"status":200}\n{"status":401}\n');
});

test("keeps lines that there is no room for, and writes each whole when there is room", async () => {
  vi.useFakeTimers();
  const { open, path, told } = scene();
  await open(async ({ audit, state, canAudit }) => {
    audit({ status: 200 });
    disk.room = 5;
    for (const status of [201, 202]) audit({ status });
    vi.advanceTimersByTime(2 * RETRY_MS);
    expect(readFileSync(path, "utf8")).toBe('{"status":200}\n{"sta');
    expect(state()).toEqual({ lost: 0, waiting: 2, oldestMs: 2 * RETRY_MS });
    expect(canAudit()).toBe(false);
    disk.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(RETRY_MS);
    expect(state()).toEqual({ lost: 0, waiting: 0, oldestMs: 0 });
    expect(canAudit()).toBe(true);
    audit({ status: 203 });
  });
  expect(statusesOf(path)).toEqual([200, 201, 202, 203]);
  expect(told).toEqual([
    `the audit file ${path} is not written: no space left; its lines wait`,
    `the audit file ${path} is written again; lines lost: 0`,
  ]);
});

test("writes the line that was begun from its start into a file that was emptied", async () => {
  vi.useFakeTimers();
  const { open, path } = scene();
  await open(async ({ audit }) => {
    disk.room = 5;
    audit({ status: 201 });
    truncateSync(path);
    disk.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(RETRY_MS);
  });
  expect(statusesOf(path)).toEqual([201]);
});

test("drops and counts what does not fit into 16 MiB, and keeps what came before", async () => {
  vi.useFakeTimers();
  const { open, path, told } = scene();
  await open(async ({ audit, state }) => {
    disk.room = 0;
    // Three bytes each.
    const text = "€".repeat(349_500);
    for (let status = 0; status < 20; status += 1) audit({ status, text });
    expect(state()).toMatchObject({ lost: 4, waiting: 16 });
    disk.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(RETRY_MS);
    audit({ status: 20 });
    expect(state()).toMatchObject({ lost: 4, waiting: 0 });
  });
  expect(statusesOf(path)).toEqual([...Array.from({ length: 16 }, (_, index) => index), 20]);
  expect(told).toEqual([
    expect.stringContaining("no space left"),
    `the audit file ${path} loses lines: too many wait to be written`,
    `the audit file ${path} is written again; lines lost: 4`,
  ]);
});

test("says how many lines it could not write before its end", async () => {
  const { open, path, told } = scene();
  await open(async ({ audit }) => {
    disk.room = 0;
    for (const status of [201, 202]) audit({ status });
  });
  expect(told.at(-1)).toBe(`the audit file ${path} ends without its last lines: 2`);
});

test.each([
  ["another file has its path", () => vi.advanceTimersByTime(1_000)],
  ["SIGHUP came", () => process.emit("SIGHUP")],
])("goes on in a new file, readable by its owner alone, once %s", async (_what, happen) => {
  vi.useFakeTimers();
  const { open, path } = scene();
  await open(async ({ audit }) => {
    audit({ status: 200 });
    renameSync(path, `${path}.1`);
    happen();
    // The listener is a promise's.
    await Promise.resolve();
    audit({ status: 201 });
  });
  expect(statusesOf(`${path}.1`)).toEqual([200]);
  expect(statusesOf(path)).toEqual([201]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.skipIf(process.platform === "win32")("waits for no reader of a pipe", async () => {
  const { open, path } = scene();
  execFileSync("mkfifo", [path]);
  const reader = readFile(path, "utf8");
  await open(async ({ audit }) => {
    // More than a pipe holds.
    for (let entry = 0; entry < 2_000; entry += 1) audit({ entry, text: "x".repeat(100) });
  });
  const lines = (await reader).trimEnd().split("\n");
  expect(lines).toHaveLength(2_000);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ entry: 1_999 });
});

test.skipIf(process.platform !== "linux")("counts the lines of a device that is full", async () => {
  const { run, told } = scene();
  let read: (() => AuditState) | undefined;
  const metrics = {
    audit(reader: () => AuditState) {
      read = reader;
    },
  };
  await withAuditFile(run, { audit: "/dev/full" }, metrics, async ({ audit }) => {
    audit?.({ status: 200 });
    await expect.poll(() => told).toHaveLength(1);
  });
  expect(told[0]).toContain("no space left");
  expect(read?.()).toMatchObject({ lost: 1, waiting: 0 });
});

function statusesOf(path: string): readonly number[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line).status);
}

function scene() {
  const folder = mkdtempSync(join(tmpdir(), "audit-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "audit.jsonl");
  const told: string[] = [];
  const tell = (message: string) => void told.push(message);
  const run = {
    output: { warn: tell, note: tell },
    signal: new AbortController().signal,
  } as unknown as Run;
  type Audit = {
    readonly audit: (entry: object) => void;
    readonly canAudit: () => boolean;
    readonly state: () => AuditState;
  };
  const open = (work: (audit: Audit) => Promise<void>) => {
    let state: (() => AuditState) | undefined;
    const metrics = {
      audit(read: () => AuditState) {
        state = read;
      },
    };
    const options = { audit: path, auditFailure: "refuse" } as const;
    return withAuditFile(run, options, metrics, async ({ audit, canAudit }) => {
      if (audit === undefined || canAudit === undefined || state === undefined) {
        return expect.unreachable();
      }
      await work({ audit, canAudit, state });
    });
  };
  return { run, path, told, open };
}
