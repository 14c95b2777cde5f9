import { SYSTEM } from "@countersign/testing/vitest-config";

export default { test: { ...SYSTEM } };
