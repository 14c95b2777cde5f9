import { describe, expect, test } from "vitest";
import { isLoopbackHost } from "./loopback-host.js";

describe("isLoopbackHost", () => {
  test.each(["localhost", "127.0.0.1", "127.255.255.254", "[::1]", "::1"])("takes %s", (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  test.each([
    "",
    "localhost.",
    "localhost.example",
    "127.0.0.1.example",
    "x127.0.0.1",
    "127.0.0",
    "1127.0.0.1",
    "127.0.0.1\n",
    "[::]",
    "::",
    "0.0.0.0",
    "authority.example",
  ])("does not take %j", (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});
