import { expect, test } from "vitest";
import { isRequestId } from "./is-request-id.js";

test.each([
  ["nothing", undefined],
  ["two values", ["a", "b"]],
  ["an empty text", ""],
  ["a blank", "a b"],
  ["a quote", 'a"b'],
  ["a character beyond ASCII", "é"],
  ["129 characters", "a".repeat(129)],
  ["a token", "cs_human_s3cr3ts3cr3ts3cr3t"],
])("takes no id that is %s", (_, given) => {
  expect(isRequestId(given)).toBe(false);
});

test.each([
  "a",
  "01890000-0000-7000-8000-000000000001",
  "1-67891233-abc@x/y:z+~=.",
  "a".repeat(128),
])("takes %s", (given) => {
  expect(isRequestId(given)).toBe(true);
});
