import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { startProcess } from "@countersign/testing";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { BIN, environmentOf, startCountersign } from "./command-line.js";
import { type ServerWorld, serverWorld } from "./servers.js";

const NOWHERE = "http://127.0.0.1:1";
// More than a pipe and a socket hold.
const LONG_PATH = "/x".repeat(1_024);
const REQUESTS = 200;
const ENDED_WITHOUT = /^warning: the audit (.*) ends without its last lines: (\d+)$/m;

let world: ServerWorld;

beforeEach(async () => {
  world = await serverWorld();
});

describe.skipIf(process.platform === "win32")("a gateway whose audit has a stalled reader", () => {
  test("ends when the drain must be over, and counts the lines that are lost (G-G17)", async () => {
    const pipe = stalledPipe("audit");
    const running = await world.start([...gateway("1s"), "--audit", pipe.path]);
    await fill(running.url);
    running.process.kill("SIGTERM");
    const { code, stderr } = await running.process.exited;
    expect(code).toBe(0);
    expect(linesOf(pipe.read()) + lostIn(stderr)).toBe(REQUESTS);
  });

  test("ends at once when it is asked once more", async () => {
    const pipe = stalledPipe("audit");
    const running = await world.start([...gateway("1h"), "--audit", pipe.path]);
    await fill(running.url);
    running.process.kill("SIGTERM");
    // No connection is taken any more: the first signal was seen.
    await expect
      .poll(() =>
        fetch(running.url).then(
          () => "open",
          () => "closed",
        ),
      )
      .toBe("closed");
    running.process.kill("SIGTERM");
    expect(await running.process.exited).toMatchObject({ code: 1, signal: null });
  });

  test("ends with --audit - as well", async () => {
    const pipe = stalledPipe("stdout");
    const shell = ["-c", 'exec "$@" > "$0"', pipe.path];
    const command = [process.execPath, BIN, ...gateway("1s"), "--audit", "-"];
    const { home } = world;
    const running = await startProcess("/bin/sh", [...shell, ...command], {
      env: environmentOf({ home }),
    });
    onTestFinished(() => running[Symbol.asyncDispose]());
    const [, url = ""] = await running.waitForLine(/^listening on (http:\/\/\S+)$/);
    await fill(url);
    running.kill("SIGTERM");
    const { code, stderr } = await running.exited;
    expect(code).toBe(0);
    expect(linesOf(pipe.read()) + lostIn(stderr)).toBe(REQUESTS);
  });

  test("ends while it waits for the first reader of a pipe", async () => {
    const { path } = pipeAt("audit");
    const args = [...gateway("1s"), "--audit", path];
    const running = await startCountersign(args, { home: world.home });
    onTestFinished(() => running[Symbol.asyncDispose]());
    await running.waitForLine(/^the audit file .* is a pipe: waiting for its reader$/);
    running.kill("SIGTERM");
    expect(await running.exited).toMatchObject({ signal: null, stdout: "" });
  });
});

function gateway(drainTimeout: string): string[] {
  return [
    ...["gateway", "--listen", "127.0.0.1:0", "--upstream", world.upstream.url],
    ...["--authority", NOWHERE, "--drain-timeout", drainTimeout],
  ];
}

async function fill(url: string): Promise<void> {
  for (let sent = 0; sent < REQUESTS; sent += 20) {
    const some = Array.from({ length: 20 }, async () => {
      const response = await fetch(url + LONG_PATH);
      await response.arrayBuffer();
    });
    await Promise.all(some);
  }
}

function pipeAt(name: string) {
  const path = join(world.folder.path, name);
  execFileSync("mkfifo", [path]);
  return { path };
}

/** A named pipe whose reader takes nothing until it is asked to. */
function stalledPipe(name: string) {
  const { path } = pipeAt(name);
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(file));
  return {
    path,
    /** What is in it, once its writer has ended. */
    read(): string {
      const chunks: Buffer[] = [];
      for (;;) {
        const chunk = Buffer.alloc(65_536);
        const bytes = readSync(file, chunk);
        if (bytes === 0) return Buffer.concat(chunks).toString("utf8");
        chunks.push(chunk.subarray(0, bytes));
      }
    },
  };
}

/** How many whole lines there are; the last one may have been begun alone. */
function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

function lostIn(stderr: string): number {
  return Number(ENDED_WITHOUT.exec(stderr)?.[2] ?? 0);
}
