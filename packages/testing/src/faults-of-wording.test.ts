import { expect, test } from "vitest";
import { faultsOfWording } from "./faults-of-wording.js";

const texts = { code: "config_invalid", message: "port must be a number, got x", hint: "set it" };

test.each([
  { message: "" },
  { message: "/home " },
  { message: " must be a number" },
  { message: "; set the port" },
  { message: "port must be  got x" },
  { message: "port must be [object Object]" },
  { message: "not a config: undefined" },
  { hint: "" },
  { message: "port is x", hint: undefined },
  { hint: "set " },
  { code: "store_denied", message: "/home is locked", hint: undefined },
  { code: "store_corrupt", message: "/home is no JSON", hint: undefined },
])("a text with a part that is missing is a fault: %j", (change) => {
  expect(faultsOfWording({ ...texts, ...change })).toHaveLength(1);
});

test.each([
  {},
  { hint: undefined },
  { code: "cancelled", hint: undefined },
  { message: "one line\nand another" },
])("whole texts have no fault: %j", (change) => {
  expect(faultsOfWording({ ...texts, ...change })).toEqual([]);
});
