import { expect, test } from "vitest";
import { describeIssues } from "./describe-issues.js";

const issue = (message: string, ...path: PropertyKey[]) => ({ path, message });

test("the first three issues are named with their places, and the whole with none", () => {
  expect(describeIssues({ issues: [issue("expected an object")] })).toBe("expected an object");
  const issues = [issue("a", "tokens", 0, "id"), issue("b"), issue("c", "x"), issue("d", "y")];
  expect(describeIssues({ issues })).toBe("tokens.0.id: a; b; x: c");
});

test("of valibot's issues, a check's own text is said, and otherwise what would be right, without the value", () => {
  const found = (type: string, message: string, expected: string | null) => ({
    ...{ kind: "validation", type, message, expected },
    path: [{ key: "access_token" }],
  });
  const described = (type: string, message: string, expected: string | null = null) =>
    describeIssues({ issues: [found(type, message, expected)] });
  const received = 'Invalid type: Expected "human" but received "s3cr3t"';
  expect(described("literal", received, '"human"')).toBe('access_token: expected "human"');
  expect(described("min_length", "Invalid length: Expected >=1 but received 0", ">=1")).toBe(
    "access_token: expected a length >=1",
  );
  const missing = 'Invalid key: Expected "access_token" but received undefined';
  expect(described("object", missing, '"access_token"')).toBe("access_token: missing");
  expect(described("check", "not a server's id")).toBe("access_token: not a server's id");
  expect(described("regex", "has control characters", "/a/u")).toBe(
    "access_token: has control characters",
  );
});
