// Before each file of tests, in the quick effort, where the files of a project share a process and its modules.
import { readFileSync } from "node:fs";
import { afterAll, expect, vi } from "vitest";

// A mock has no effect on modules that are loaded already: a file that mocks one gets modules of its own, and leaves none to the next file.
if (/\bvi\.mock\(/.test(readFileSync(expect.getState().testPath, "utf8"))) {
  vi.resetModules();
  afterAll(() => vi.resetModules());
}

// @hono/node-server puts its own in their place.
const { Request, Response } = globalThis;
afterAll(() => {
  Object.assign(globalThis, { Request, Response });
});
