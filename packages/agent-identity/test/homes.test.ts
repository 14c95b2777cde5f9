import { StoreError } from "@countersign/agent-key";
import { runProcess } from "@countersign/testing";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { fileStore } from "../src/index.js";
import { keyringStore } from "../src/keyring-store.js";
import { commandOf } from "./support/processes.js";

describe("a path that the working directory decides is config_invalid, before anything is read: (G-H3)", () => {
  const makers: readonly ((path: string) => unknown)[] = [
    fileStore,
    (directory) => keyringStore({ directory }),
  ];
  test.each(["", ".", "rel/dir", "~user/x", "/a\0b", undefined as unknown as string])(
    "%j",
    async (path) => {
      for (const make of makers) {
        const making = (async () => make(path))();
        const error = await expectRejection(making, StoreError, "config_invalid");
        expect(error.message).toContain("directory must be an absolute path");
        expect(error.hint).toContain("the working directory");
      }
    },
  );
});

describe("a home folder that cannot be one is config_invalid and names the variable: HOME", () => {
  test.each([
    ["", 'HOME must be an absolute path, got ""'],
    [".", 'HOME must be an absolute path, got "."'],
    ["rel/dir", 'HOME must be an absolute path, got "rel/dir"'],
  ])("%j", async (HOME, says) => {
    const [command = "", ...args] = commandOf("open-below-home.ts");
    const result = await runProcess(command, args, { env: { HOME }, cwd: await openDirectory() });
    expect(result.stdout, result.stderr).toBe(`config_invalid ${says}\n`);
  });
});
