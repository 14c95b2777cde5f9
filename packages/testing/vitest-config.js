import { fileURLToPath } from "node:url";
import { effort } from "@countersign/testing/effort";

const isQuick = effort === "quick";
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/**
 * What holds for all tests. Its bounds are for a busy machine: a test fails by what it finds, not by the time that it takes. Here, so that an
 * editor and a plain `vitest run FILE` have them too.
 */
export const COMMON = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
  globalSetup: [here("./compile-once.js")],
  // In the quick effort the files of a project share a process, which loads each module once. In the full one each file has its own.
  isolate: !isQuick,
  setupFiles: isQuick ? [here("./shared-process.js")] : [],
};

/** The tests beside the source, which need no other process. */
export const UNIT = {
  name: "unit",
  include: ["src/**/*.test.ts"],
  ...COMMON,
  setupFiles: isQuick ? [...COMMON.setupFiles, here("./property-runs.js")] : [],
};

/** The tests across modules, processes and sockets. */
export const SYSTEM = { name: "system", include: ["test/**/*.test.ts"], ...COMMON };

/** The configuration of a package's tests. */
export default { test: { projects: [{ test: UNIT }, { test: SYSTEM }] } };
