import { startProcess } from "@countersign/testing";
import { expect, onTestFinished, test } from "vitest";
import { isProcessOver, markOfThisProcess } from "./process-mark.js";

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
  for (const mark of [own, ...foreign]) expect(await isProcessOver(mark)).toBe(false);
  expect(id).toBe(isLinux ? `${process.pid}` : undefined);
});

test.runIf(isLinux)(
  "a process that ended is over, also when its id is another's by now",
  async () => {
    const running = await startProcess("sleep", ["60"]);
    onTestFinished(() => running[Symbol.asyncDispose]());
    const [boot, namespace, , startTime] = (await markOfThisProcess()).split(" ");
    expect(await isProcessOver(`${boot} ${namespace} ${process.pid} 1`)).toBe(true);
    running.kill("SIGKILL");
    await running.exited;
    expect(await isProcessOver(`${boot} ${namespace} ${running.pid} ${startTime}`)).toBe(true);
  },
);
