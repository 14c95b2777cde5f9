import { afterEach, expect, test } from "vitest";
import { runProcess, startProcess, type TestProcess } from "./test-process.js";

const open: TestProcess[] = [];
afterEach(async () => {
  for (const running of open.splice(0)) await running[Symbol.asyncDispose]();
});

async function start(script: string): Promise<TestProcess> {
  const running = await startProcess(process.execPath, ["-e", script]);
  open.push(running);
  return running;
}

test("rejects when the command does not exist", async () => {
  await expect(runProcess("/does/not/exist")).rejects.toMatchObject({ code: "ENOENT" });
});

test("gives exit code, output and error output, with input and environment", async () => {
  const script = `process.stdin.pipe(process.stdout); console.error(process.env.NAME, process.env.HOME); process.exitCode = 3`;
  const result = await runProcess(process.execPath, ["-e", script], {
    input: "in",
    env: { NAME: "value", HOME: undefined },
  });
  expect(result).toEqual({ code: 3, signal: null, stdout: "in", stderr: "value undefined\n" });
});

test("waits for whole lines, also for those printed before, and says what was printed instead", async () => {
  const running = await start(
    `console.log("one 1"); console.error("two 2"); process.stdin.once("data", () => process.exit())`,
  );
  expect((await running.waitForLine(/two (\d)/))[1]).toBe("2");
  expect((await running.waitForLine(/^one (\d)/))[1]).toBe("1");
  const missing = expect(running.waitForLine(/three/)).rejects.toThrow("one 1");
  running.write("end\n");
  await missing;
  expect((await running.exited).code).toBe(0);
});

test("kills with the signal it is told, and with the caller's abort", async () => {
  const running = await start("setInterval(() => {}, 1000); console.log('up')");
  await running.waitForLine(/up/);
  running.kill("SIGTERM");
  expect((await running.exited).signal).toBe("SIGTERM");
  const abort = new AbortController();
  const aborted = runProcess(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
    signal: abort.signal,
  });
  abort.abort();
  expect((await aborted).signal ?? "never started").toMatch(/SIGKILL|never started/);
});
