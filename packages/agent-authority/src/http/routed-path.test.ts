import { expect, test } from "vitest";
import { routedPath } from "./routed-path.js";

test.each([
  ["", ""],
  ["*", "*"],
  ["/a/%", "/a/%"],
  ["/a/%2Fb", "/a/%2Fb"],
  ["/a/b", "/a/b"],
  ["/a/b?c=/d", "/a/b"],
  ["/a/b?", "/a/b"],
  ["/a/b#c?d", "/a/b"],
  ["/a/%62", "/a/b"],
  ["http://authority.example:80/a/b?c", "/a/b"],
  ["HTTPS://authority.example/a/b", "/a/b"],
  ["http://authority.example?/a/b", ""],
])("reads the path of the target %s as %s", (target, path) => {
  expect(routedPath(target)).toBe(path);
});
