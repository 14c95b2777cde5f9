import { expect, test } from "vitest";
import { errnoOf } from "./errno-of.js";

const refused = Object.assign(new Error("no"), { code: "ECONNREFUSED" });
const endless: Error = new Error("endless");
endless.cause = endless;

test.each([
  ["of its own", refused, "ECONNREFUSED"],
  ["of its cause", new TypeError("fetch failed", { cause: refused }), "ECONNREFUSED"],
  ["of the first of several", new AggregateError([refused, new Error("other")]), "ECONNREFUSED"],
  ["nowhere", new Error("no"), undefined],
  ["nowhere in an endless chain", endless, undefined],
  ["nowhere in a text", "ECONNREFUSED", undefined],
])("finds the code %s", (_, error, code) => {
  expect(errnoOf(error)).toBe(code);
});
