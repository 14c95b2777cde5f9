import { expect, test } from "vitest";
import { networkFileSystem } from "./network-file-system.js";

test("a network file system is known by its number on Linux alone", () => {
  expect(networkFileSystem(0x6969, "linux")).toBe("NFS");
  // As a signed number.
  expect(networkFileSystem(0xff534d42 - 2 ** 32, "linux")).toBe("CIFS");
  expect(networkFileSystem(0xef53, "linux")).toBeUndefined();
  expect(networkFileSystem(0x6969, "darwin")).toBeUndefined();
});
