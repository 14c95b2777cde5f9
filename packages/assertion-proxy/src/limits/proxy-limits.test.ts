import { expect, test } from "vitest";
import { resolveProxyLimits } from "./proxy-limits.js";

test("an upstream may be silent for 15 minutes, before its answer and within it", () => {
  expect(resolveProxyLimits()).toMatchObject({ responseMs: 900_000, idleMs: 900_000 });
  expect(resolveProxyLimits({ responseMs: undefined, idleMs: 1 })).toMatchObject({
    responseMs: 900_000,
    idleMs: 1,
  });
});
