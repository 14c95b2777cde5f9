import { readFile } from "node:fs/promises";
import { startProcess } from "@countersign/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { findProcessLife, markOfThisProcess } from "./process-mark.js";

const isLinux = process.platform === "linux";

test("a process that lives is not over, nor is one of which nothing can be known from here", async () => {
  const own = await markOfThisProcess();
  const [boot, namespace, id, startTime] = own.split(" ");
  const foreign = [
    "",
    "nonsense",
    `other-boot ${namespace} 999999999 ${startTime}`,
    `${boot} pid:[1] 999999999 ${startTime}`,
    `${boot} ${namespace} ../self ${startTime}`,
  ];
  for (const mark of foreign) expect(await findProcessLife(mark)).toBe("unknown");
  expect(await findProcessLife(own)).toBe(isLinux ? "running" : "unknown");
  expect(id).toBe(isLinux ? `${process.pid}` : undefined);
});

test.runIf(isLinux)(
  "a process that ended is over, also when its id is another's by now",
  async () => {
    const running = await startProcess("sleep", ["60"]);
    onTestFinished(() => running[Symbol.asyncDispose]());
    const [boot, namespace, , startTime] = (await markOfThisProcess()).split(" ");
    expect(await findProcessLife(`${boot} ${namespace} ${process.pid} 1`)).toBe("over");
    running.kill("SIGKILL");
    await running.exited;
    expect(await findProcessLife(`${boot} ${namespace} ${running.pid} ${startTime}`)).toBe("over");
  },
);

test.runIf(isLinux)(
  "nothing is known of a process that was stopped: it may never go on",
  async () => {
    const running = await startProcess("sleep", ["60"]);
    onTestFinished(() => running[Symbol.asyncDispose]());
    const [boot, namespace] = (await markOfThisProcess()).split(" ");
    const stat = await readFile(`/proc/${running.pid}/stat`, "utf8");
    const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const life = () => findProcessLife(`${boot} ${namespace} ${running.pid} ${startTime}`);
    expect(await life()).toBe("running");
    running.kill("SIGSTOP");
    await expect.poll(life).toBe("unknown");
    running.kill("SIGCONT");
    await expect.poll(life).toBe("running");
  },
);

test("a process of another system than Linux has no mark, whatever stands at /proc there", async () => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") ?? {};
  onTestFinished(() => {
    Object.defineProperty(process, "platform", platform);
    vi.resetModules();
  });
  Object.defineProperty(process, "platform", { ...platform, value: "darwin" });
  vi.resetModules();
  const again = await import("./process-mark.js");
  expect(await again.markOfThisProcess()).toBe("");
});
