import { homedir } from "node:os";
import { join } from "node:path";
import { runProcess } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { openDirectory } from "../../test/support/directory.js";
import { expectRejection } from "../../test/support/expect-rejection.js";
import { commandOf } from "../../test/support/processes.js";
import { codexAuth } from "../codex-auth/codex-auth.js";
import { codexAuthStore } from "../codex-auth/codex-auth-store.js";
import { CredentialStoreError } from "../credential-store-error.js";
import { fileStore } from "../store/file-store.js";
import { keyringStore } from "../store/keyring-store.js";
import { memoryStore } from "../store/memory-store.js";
import { resolveHome, userHome } from "./resolve-home.js";

const authority = "https://authority.example";

describe("a path that the working directory decides is config_invalid, before anything is read:", () => {
  const makers: readonly [option: string, make: (path: string) => unknown][] = [
    ["directory", fileStore],
    ["directory", (directory) => keyringStore({ directory })],
    ["codexHome", (path) => codexAuthStore(path, { authority, beside: memoryStore() })],
    ["codexHome", (path) => codexAuth(path, { authority })],
  ];
  test.each(["", ".", "rel/dir", "~user/x", "/a\0b", undefined as unknown as string])(
    "%j",
    async (path) => {
      for (const [option, make] of makers) {
        const making = (async () => make(path))();
        const error = await expectRejection(making, CredentialStoreError, "config_invalid");
        expect(error.message).toContain(`${option} must be an absolute path`);
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

test("a path may begin with the home folder, and is made absolute", () => {
  expect(userHome()).toBe(homedir());
  expect(resolveHome("~/x")).toBe(join(homedir(), "x"));
  expect(resolveHome("~")).toBe(homedir());
  expect(resolveHome("/a/../b/")).toBe("/b");
});
