// Bounds for a busy machine: a test fails by what it finds, not by the time that it takes. Here, so that an editor and a plain
// `vitest run FILE` have them too.
export const BOUNDS = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
};

/** The tests beside the source, which need no other process. */
export const UNIT = { name: "unit", include: ["src/**/*.test.ts"], ...BOUNDS };

/** The tests across modules, processes and sockets. */
export const SYSTEM = { name: "system", include: ["test/**/*.test.ts"], ...BOUNDS };

/** The configuration of a package's tests. */
export default { test: { projects: [{ test: UNIT }, { test: SYSTEM }] } };
