import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { openSecretFileWatch } from "./secret-file.js";

async function openOn(content: string) {
  const folder = await temporaryDirectory();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const file = join(folder.path, "secret");
  await writeFile(file, content);
  const watch = await openSecretFileWatch([`file:${file}`, "env:SECRET", "file:/dev/null"]);
  onTestFinished(() => watch[Symbol.dispose]());
  return { file, watch };
}

test("a file that changes before the first look is found at it, and again at its next change", async () => {
  const { file, watch } = await openOn("first");
  await writeFile(file, "second");
  const work = vi.fn();
  watch.start(work);
  await expect.poll(() => work.mock.calls.length).toBe(1);
  await writeFile(`${file}.new`, "another");
  await rename(`${file}.new`, file);
  await expect.poll(() => work.mock.calls.length).toBe(2);
  await rm(file);
  await expect.poll(() => work.mock.calls.length).toBe(3);
});

test("a file that stays as it was, and what is closed, do no work", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { file, watch } = await openOn("first");
  const work = vi.fn();
  watch.start(work);
  expect(vi.getTimerCount()).toBe(1);
  await writeFile(file, "second");
  watch[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(work).not.toHaveBeenCalled();
});
