import { homedir } from "node:os";
import { join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { resolveHome, userHome } from "./resolve-home.js";

describe("a path that the working directory decides is config_invalid:", () => {
  test.each(["", ".", "rel/dir", "~user/x", "/a\0b", undefined as unknown as string])(
    "%j",
    async (path) => {
      const resolving = (async () => resolveHome(path, "home"))();
      const error = await expectRejection(resolving, StoreError, "config_invalid");
      expect(error.message).toContain("home must be an absolute path");
      expect(error.hint).toContain("the working directory");
    },
  );
});

describe("a home folder that cannot be one is config_invalid and names the variable: HOME", () => {
  test.each(["", ".", "rel/dir"])("%j", async (HOME) => {
    vi.stubEnv("HOME", HOME);
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const path of ["~", "~/x"]) {
      const resolving = (async () => resolveHome(path))();
      const error = await expectRejection(resolving, StoreError, "config_invalid");
      expect(error.message).toBe(`HOME must be an absolute path, got ${JSON.stringify(HOME)}`);
    }
  });
});

test("a path may begin with the home folder, and is made absolute", () => {
  expect(userHome()).toBe(homedir());
  expect(resolveHome("~/x")).toBe(join(homedir(), "x"));
  expect(resolveHome("~")).toBe(homedir());
  expect(resolveHome("/a/../b/")).toBe("/b");
});
