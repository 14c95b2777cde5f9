import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { byEffort } from "@countersign/testing/effort";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { startCountersign } from "./command-line.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const NOWHERE = "http://127.0.0.1:1";
const SMALL_DISK = findSmallDisk();
// Longer than what may wait, 16 MiB: the path of an entry has up to 2,048 characters.
const LONG_PATH = "/x".repeat(1_024);
const MORE_THAN_WAIT = 8_400;

if (!SMALL_DISK.canMount) {
  console.warn(`skipped: the drill of a full disk: ${SMALL_DISK.reason}`);
}

let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
});

describe.skipIf(!SMALL_DISK.canMount)("a gateway whose audit is on a disk that is full", () => {
  test("serves, counts what it lost, and writes again when there is room (G-G17)", async () => {
    const { audit, disk, send, figures, process } = await openOnSmallDisk([]);
    expect(await send("/first")).toBe(401);
    await expect.poll(() => readFileSync(audit, "utf8")).toContain("/first");
    disk.fill();
    expect(await send("/waits")).toBe(401);
    await process.waitForLine(/^warning: the audit file .* is not written: no space left/);
    await expect.poll(() => figures("waiting")).toBe(1);
    await expect.poll(() => figures("oldest_seconds")).toBeGreaterThan(0);
    const count = byEffort(MORE_THAN_WAIT, 0);
    for (let sent = 0; sent < count; sent += 50) {
      await Promise.all(Array.from({ length: 50 }, () => send(LONG_PATH)));
    }
    const lost = await figures("lost_total");
    if (count > 0) expect(lost).toBeGreaterThan(0);
    disk.grow();
    disk.free();
    await process.waitForLine(
      new RegExp(`^the audit file .* is written again; lines lost: ${lost}$`),
    );
    expect(await send("/last")).toBe(401);
    await expect.poll(() => figures("waiting")).toBe(0);
    const lines = readFileSync(audit, "utf8").trimEnd().split("\n");
    const paths = lines.map((line) => JSON.parse(line).path);
    expect([paths[0], paths[1], paths.at(-1)]).toEqual(["/first", "/waits", "/last"]);
    expect(paths.length + lost).toBe(count + 3);
  });

  test("refuses with --audit-failure refuse, says so at /readyz, and serves when there is room", async () => {
    const { audit, disk, send, ready, process } = await openOnSmallDisk([
      "--audit-failure",
      "refuse",
    ]);
    expect([await send("/first"), await ready()]).toEqual([401, 200]);
    await expect.poll(() => readFileSync(audit, "utf8")).toContain("/first");
    disk.fill();
    // It is known with the first entry that finds no room.
    expect(await send("/waits")).toBe(401);
    await expect.poll(ready).toBe(503);
    expect(await send("/refused")).toBe(503);
    disk.free();
    await process.waitForLine(/is written again; lines lost: 0$/);
    expect([await ready(), await send("/last")]).toEqual([200, 401]);
    await expect.poll(() => readFileSync(audit, "utf8").trimEnd().split("\n").length).toBe(4);
  });
});

test("gateway writes its audit to stdout alone with --audit -", async () => {
  const { process, url } = await world.start([...gatewayTo(world.upstream.url), "--audit", "-"]);
  await statusOf(`${url}/x`);
  process.kill("SIGTERM");
  const { code, stdout, stderr } = await process.exited;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ path: "/x", status: 401, code: "missing" });
  expect(stderr).toContain(`listening on ${url}\n`);
});

test("gateway with a log has nothing on stderr but its JSON lines, also with --audit -", async () => {
  const process = await startCountersign(
    [...gatewayTo(world.upstream.url), "--audit", "-", "--log-level", "info"],
    { home: world.home },
  );
  onTestFinished(() => process[Symbol.asyncDispose]());
  const [, url = ""] = await process.waitForLine(/"url":"([^"]+)".*"msg":"the gateway serves"/);
  await statusOf(`${url}/x`);
  process.kill("SIGTERM");
  const { code, stdout, stderr } = await process.exited;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ path: "/x", status: 401 });
  const lines = stderr.trimEnd().split("\n");
  expect(lines.filter((line) => !line.startsWith('{"level":'))).toEqual([]);
  for (const line of lines) JSON.parse(line);
});

function gatewayTo(upstream: string, authority = NOWHERE): string[] {
  return [
    ...["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream],
    ...["--authority", authority],
  ];
}

async function openOnSmallDisk(args: readonly string[]) {
  const mount = join(world.folder.path, "disk");
  await mkdir(mount);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", mount]);
  onTestFinished(() => void execFileSync("umount", ["--lazy", mount]));
  const audit = join(mount, "audit.jsonl");
  const authority = await world.serve();
  const { process, url } = await world.start([
    ...[...gatewayTo(world.upstream.url, authority.url), "--audit", audit, ...args],
    ...["--operations-listen", "127.0.0.1:0"],
  ]);
  const [, operations = ""] = await process.waitForLine(/^operations on (http:\/\/\S+)$/);
  const filler = join(mount, "filler");
  return {
    audit,
    process,
    send: (path: string) => statusOf(url + path),
    ready: () => statusOf(`${operations}/readyz`),
    async figures(name: string) {
      const figures = await (await fetch(`${operations}/metrics`)).text();
      const line = new RegExp(`^countersign_proxy_audit_${name} (\\S+)$`, "m").exec(figures);
      return Number(line?.[1]);
    },
    disk: {
      /** Leaves no room: neither a page of its own, nor in the last one of the audit. */
      fill() {
        writeUntilFull(filler);
        // Before an entry, they are part of its JSON.
        writeUntilFull(audit);
      },
      free() {
        rmSync(filler);
      },
      grow() {
        execFileSync("mount", ["-o", "remount,size=64m", mount]);
      },
    },
  };
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

/** Appends spaces until there is no room for one more. */
function writeUntilFull(path: string): void {
  const file = openSync(path, "a");
  try {
    for (let bytes = 4_096; bytes >= 1; ) {
      try {
        writeSync(file, " ".repeat(bytes));
      } catch {
        bytes /= 4;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Whether this user may make a disk of 64 KiB here. */
function findSmallDisk(): { readonly canMount: boolean; readonly reason?: string } {
  if (process.platform !== "linux") return { canMount: false, reason: "it needs tmpfs of Linux" };
  const folder = mkdtempSync(join(tmpdir(), "small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], { stdio: "pipe" });
    execFileSync("umount", [folder], { stdio: "pipe" });
    return { canMount: true };
  } catch (error) {
    return { canMount: false, reason: `this user may not mount one: ${String(error)}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
