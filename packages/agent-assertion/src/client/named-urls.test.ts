import { AgentKeyError } from "@countersign/agent-key";
import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectFailure, failureOf } from "../../test/expect-rejection.js";
import { parseNamedUrls } from "./named-urls.js";

const names = (entries: string[], url: string) => parseNamedUrls(entries, {}).covers(new URL(url));

describe("parseNamedUrls", () => {
  test.each([
    ["a * for a host", "https://*/v1/*"],
    ["a * in a host", "https://*.example/"],
    ["a * in a host, encoded", "https://%2a.example/v1/*"],
    ["a * in a host, without a path", "https://api.*"],
    ["a * in a query", "https://api.example/v1?x=*"],
    ["a query behind a pattern", "https://api.example/v1/*?x"],
    ["a fragment behind a pattern", "https://api.example/v1/*#x"],
    ["a * for a part of a segment", "https://api.example/v1*"],
    ["two *", "https://api.example/v1/**"],
    ["an escaped *", "https://api.example/v1/%2A"],
  ])("refuses %s", async (_, entry) => {
    const error = await expectFailure(() => parseNamedUrls([entry], {}), "config_invalid");
    expect(error.message).toMatch(/^origins: /);
  });

  test.each(["https://api.example:*/", "*", "https://u:*@api.example/", "http://api.example/v1/*"])(
    "refuses %s as agent-key does",
    async (entry) => {
      const error = await failureOf(() => parseNamedUrls([entry], {}));
      expect(AgentKeyError.is(error) && error.code).toBe("config_invalid");
      expect(AgentKeyError.is(error) && error.message).toMatch(/^origins: /);
    },
  );

  test("names a whole origin by an entry without a *", () => {
    const entries = ["HTTPS://API.example:443/v1", "https://other.example"];
    expect(names(entries, "https://api.example/v2")).toBe(true);
    expect(names(entries, "https://other.example/")).toBe(true);
    expect(names(entries, "https://third.example/v1")).toBe(false);
    expect(names([], "https://api.example/")).toBe(false);
  });

  test.each([
    " https://api.example/v1/*",
    "https:api.example/v1/*",
    "\nhttps:\\\\api.example\\v1\\*",
  ])("narrows by %j as by what the URL parser reads (G-C4)", (entry) => {
    expect(names([entry], "https://api.example/v1/x")).toBe(true);
    expect(names([entry], "https://api.example/v2/x")).toBe(false);
  });

  test.each<[string, string, boolean]>([
    ["/v1/*", "/v1/x", true],
    ["/v1/*", "/v1/x/y?z=/../..", true],
    ["/v1/*", "/v1/", true],
    ["/v1/*", "/v1/a%2Fb", true],
    ["/v1/*", "/v1/...", true],
    ["/v1/*", "/v1/a..b", true],
    ["/v1/*", "/v1/x/../y", true],
    ["/v1/*", "/v1", false],
    ["/v1/*", "/v10/x", false],
    ["/v1/*", "/V1/x", false],
    ["/v1/*", "//v1/x", false],
    ["/v1/*", "/v1/../v2", false],
    ["/v1/*", "/v1/%2e%2E/v2", false],
    ["/v1/*", "/v1/.%2e/v2", false],
    ["/v1/*", "/v1/..\\v2", false],
    ["/v1/*", "/v1/..%2fv2", false],
    ["/v1/*", "/v1/%2e%2e%2fv2", false],
    ["/v1/*", "/v1/x%2f..%2f..%2fv2", false],
    ["/v1/*", "/v1/..%5cv2", false],
    ["/v1/*", "/v1/%252e%252e/v2", false],
    ["/v1/*", "/v1/%25252e%25252e%25252fv2", false],
    ["/v1/*", "/v1/..;/v2", false],
    ["/v1/*", "/v1/..%3bx/v2", false],
    ["/v1/*", "/v1/..%00/v2", false],
    ["/v1/*", "/v1/..%20/v2", false],
    ["/v1/*", "/v1/..%3f/v2", false],
    ["/v1/*", "/v1/%c0%ae%c0%ae/v2", false],
    ["/v1/*", "/v1/%25%32%65./v2", false],
    ["/v1/*", `/v1/${"%25".repeat(64)}2e%2e/v2`, false],
    ["/v1/*", "/v1/100%25", true],
    ["/*", "/", true],
    ["/*", "/x/y", true],
    ["/a/*/b", "/a/x/b", true],
    ["/a/*/b", "/a//b", false],
    ["/a/*/b", "/a/x/y/b", false],
    ["/a/*/b", "/a/x/b/", false],
    ["/a/*/*", "/a/x/b/", true],
  ])("%s names %s: %s", (pattern, path, named) => {
    const origin = "https://api.example";
    expect(names([origin + pattern], origin + path)).toBe(named);
    expect(names([origin + pattern], `https://other.example${path}`)).toBe(false);
    expect(names([origin + pattern], `https://api.example:8443${path}`)).toBe(false);
  });

  test("names nothing whose path leaves the pattern, however it is written (G-C4)", () => {
    const part = fc.constantFrom("..", "%2e", ".", "/", "%2f", "%5C", "\\", "%25", "2e", "x", ";");
    const path = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(path, (rest) => {
        const url = new URL(`https://api.example/v1/${rest}`);
        if (!parseNamedUrls(["https://api.example/v1/*"], {}).covers(url)) return;
        let seen = url.pathname;
        for (let i = 0; i < 4; i += 1) {
          expect(new URL(seen.replaceAll("\\", "/"), url).pathname).toMatch(/^\/v1\//);
          seen = seen.replaceAll(/%(25|2e|2f|5c)/gi, (escaped) => decodeURIComponent(escaped));
        }
      }),
      { numRuns: propertyRuns(2000) },
    );
  });
});
