import { describe, expect, test } from "vitest";
import { findHiddenPath } from "./hidden-path.js";

describe("findHiddenPath", () => {
  test.each([
    ["/a/../b", "a dot segment"],
    ["/a/.", "a dot segment"],
    ["/a/..%2fb", "a dot segment"],
    ["/a/..;x/b", "a dot segment"],
    ["/a/..%20/b", "a dot segment"],
    ["/a/..%3f/b", "a dot segment"],
    ["/a/..%00/b", "an encoded control character"],
    ["/a/%7f", "an encoded control character"],
    ["/a/%c0%ae%c0%ae/b", "overlong UTF-8"],
    ["/a/%e0%80%ae/b", "overlong UTF-8"],
    ["/a/%252e%252e/b", "a character that is encoded twice"],
    ["/a/%252fb", "a character that is encoded twice"],
    ["/a/%255cb", "a character that is encoded twice"],
    ["/a/%u002e%u002e/b", "a dot segment"],
    [`/a/${"%25".repeat(20)}`, undefined],
    [`/a/%${"25".repeat(20)}41`, "a character that is encoded too often"],
  ])("finds in %s: %s", (path, found) => {
    expect(findHiddenPath(path)).toBe(found);
  });

  test.each(["/", "/a/b", "/a/.../b", "/a..b", "/a%2fb", "/caf%c3%a9", "/100%25", "/a%20b"])(
    "finds nothing in %s",
    (path) => {
      expect(findHiddenPath(path)).toBeUndefined();
    },
  );
});
