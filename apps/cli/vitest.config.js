import { SYSTEM, UNIT } from "@countersign/testing/vitest-config";

export default {
  // Its tests start processes, of which more at once than cores only slow each other.
  test: { maxWorkers: 2, projects: [{ test: UNIT }, { test: SYSTEM }] },
};
