import { execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@countersign/testing";
import { expect, test } from "vitest";
import type { Run } from "../config/run.js";
import { ServedSecrets } from "./served-secrets.js";

test.skipIf(process.platform === "win32")(
  "a pipe in the place of a file is not waited for, and a file there is read again",
  async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, "token");
    await writeFile(path, "first");
    const told: string[] = [];
    const tell = (message: string) => void told.push(message);
    const signal = new AbortController().signal;
    using secrets = new ServedSecrets({
      output: { note: tell, warn: tell },
      signal,
    } as never as Run);
    const taken: string[] = [];
    const first = await secrets.read({
      what: "the token",
      sources: [`file:${path}`],
      read: () => readFile(path, "utf8"),
      take: (value) => void taken.push(value),
    });
    expect(first).toBe("first");
    secrets.start();
    await rm(path);
    execFileSync("mkfifo", [path]);
    process.emit("SIGHUP");
    await expect.poll(() => told.at(-1)).toContain("the token stays as it was");
    expect(told.at(-1)).toContain("is no file any more (config_invalid)");
    await rm(path);
    await writeFile(path, "second");
    process.emit("SIGHUP");
    await expect.poll(() => taken).toEqual(["second"]);
  },
);
