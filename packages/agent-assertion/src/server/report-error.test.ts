import { afterEach, expect, test, vi } from "vitest";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { AssertionRejected } from "../verify/assertion-rejected.js";
import { reportError } from "./report-error.js";

afterEach(() => vi.restoreAllMocks());

const outage = (what: string) =>
  new AgentAssertionError("unreachable", `the directory ${what} cannot be reached`, {
    hint: "check that the authority runs",
  });

function warningsSeen(): unknown[][] {
  return vi.spyOn(process, "emitWarning").mockImplementation(() => {}).mock.calls;
}

test("an error goes to the hook, with its request", () => {
  const warnings = warningsSeen();
  const got: unknown[] = [];
  const error = outage("a");
  reportError((...args) => got.push(args), error, "request");
  expect(got).toEqual([[error, "request"]]);
  expect(warnings).toEqual([]);
});

test("without a hook it is one warning for each message, with code and hint", () => {
  const warnings = warningsSeen();
  for (const what of ["b", "c", "b", "c"]) reportError(undefined, outage(what), {});
  const text = (what: string) =>
    `a request could not be checked: unreachable: the directory ${what} cannot be reached; check that the authority runs`;
  expect(warnings.map(([message]) => message)).toEqual([text("b"), text("c")]);
});

test("what is the caller's fault is neither", () => {
  const warnings = warningsSeen();
  const onError = vi.fn();
  const error = new AssertionRejected("bad_signature", "its signature is not valid");
  for (const hook of [onError, undefined]) reportError(hook, error, {});
  expect(onError).not.toHaveBeenCalled();
  expect(warnings).toEqual([]);
});

test("warnings are bounded, whatever fails", () => {
  const warnings = warningsSeen();
  for (let i = 0; i < 1000; i += 1) reportError(undefined, new Error(`fault ${i}`), {});
  expect(warnings.length).toBeGreaterThan(10);
  expect(warnings.length).toBeLessThanOrEqual(100);
});
