import { expect, test } from "vitest";
import { describeIssues } from "./describe-issues.js";

const issue = (message: string, ...path: PropertyKey[]) => ({ path, message });

test("the first three issues are named with their places, and the whole with none", () => {
  expect(describeIssues({ issues: [issue("expected an object")] })).toBe("expected an object");
  const issues = [issue("a", "tokens", 0, "id"), issue("b"), issue("c", "x"), issue("d", "y")];
  expect(describeIssues({ issues })).toBe("tokens.0.id: a; b; x: c");
});
