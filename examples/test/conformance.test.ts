import { expect, test } from "vitest";
import { run } from "../conformance/run.js";

test("the program answers what the README of @countersign/conformance says", async () => {
  expect(await run()).toBe("1131 passed, 0 failed");
  expect(await run(new URL("./", import.meta.url))).toMatch(
    /^config_invalid: .* holds no vectors$/,
  );
});
