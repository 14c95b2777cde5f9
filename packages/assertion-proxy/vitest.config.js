import { SYSTEM, UNIT } from "@countersign/testing/vitest-config";

export default {
  test: {
    projects: [
      { test: UNIT },
      // They measure how long requests wait, and in a process with other files the garbage of those would count.
      { test: { ...SYSTEM, isolate: true } },
    ],
  },
};
