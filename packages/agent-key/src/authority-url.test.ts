import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentKeyError, refusalOf } from "../test/agent-key-error.js";
import { parseAuthority, parseOrigin } from "./authority-url.js";

describe.each([
  ["parseAuthority", parseAuthority],
  ["parseOrigin", parseOrigin],
])("%s", (_name, parse) => {
  test.each([
    "",
    "authority.example",
    "//authority.example",
    "/v1",
    "ftp://authority.example",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:,x",
    "https://",
    "https://user@authority.example",
    "https://user:password@authority.example",
    "https://:password@authority.example",
    "https://authority.example:99999",
    "https://[::1",
  ])("rejects %j", (value) => {
    expect(() => parse(value)).toThrow(agentKeyError("config_invalid"));
    expect(() => parse(value, { insecureHttp: true })).toThrow(agentKeyError("config_invalid"));
  });

  test.each([
    "http://authority.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://128.0.0.1",
    "http://10.0.0.1",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::ffff:7f00:1]",
  ])("rejects plain http to %s unless it is allowed by name", (value) => {
    expect(() => parse(value)).toThrow(agentKeyError("config_invalid"));
    expect(() => parse(value, { insecureHttp: false })).toThrow(agentKeyError("config_invalid"));
    expect(parse(value, { insecureHttp: true })).toBe(value);
  });

  test.each([
    ["http://127.0.0.1:4600", "http://127.0.0.1:4600"],
    ["http://127.1.2.3", "http://127.1.2.3"],
    ["http://127.1", "http://127.0.0.1"],
    ["http://LOCALHOST:80", "http://localhost"],
    ["http://[::1]:4600", "http://[::1]:4600"],
  ])("takes plain http to loopback: %s", (value, expected) => {
    expect(parse(value)).toBe(expected);
  });

  test.each([
    "https://user:hunter2@authority.example?a",
    "ftp://user:hunter2@authority.example",
    "https://user:hunter2@authority example",
    "cs_human_hunter2",
    "hunter2://",
    "\u001b[31mhunter2",
  ])("does not repeat what may be a secret: %j", (value) => {
    const { code, message } = refusalOf(() => parse(value));
    expect(code).toBe("config_invalid");
    expect(message).not.toContain("hunter2");
  });

  test("repeats a URL that can hold none", () => {
    expect(() => parse("ftp://authority.example/x")).toThrow('"ftp://authority.example/x"');
  });
});

describe("parseAuthority", () => {
  test.each(["https://authority.example?token=hunter2", "https://authority.example/#hunter2"])(
    "rejects the query or fragment of %s without repeating it",
    (value) => {
      expect(() => parseAuthority(value)).toThrow(agentKeyError("config_invalid"));
      expect(() => parseAuthority(value)).toThrow(
        '"https://authority.example/" must not have a query or a fragment',
      );
    },
  );

  test.each([
    ["https://authority.example", "https://authority.example"],
    ["https://authority.example/", "https://authority.example"],
    ["HTTPS://Authority.EXAMPLE:443///", "https://authority.example"],
    ["https://authority.example:8443/", "https://authority.example:8443"],
    ["https://authority.example/backend-api///", "https://authority.example/backend-api"],
    ["https://authority.example/Path/", "https://authority.example/Path"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://authority.example/a/../b", "https://authority.example/b"],
  ])("normalises %s", (value, expected) => {
    expect(parseAuthority(value)).toBe(expected);
  });

  test("gives one text for equal authorities: normalising again changes nothing", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: false, withFragments: false }), (url) => {
        const once = parseAuthority(url, { insecureHttp: true });
        expect(parseAuthority(once, { insecureHttp: true })).toBe(once);
        expect(parseAuthority(`${once}//`, { insecureHttp: true })).toBe(once);
      }),
    );
  });
});

describe("parseOrigin", () => {
  test.each([
    ["https://API.example:443/v1?x=1#y", "https://api.example"],
    ["https://api.example:8443", "https://api.example:8443"],
    ["https:\\\\api.example\\v1", "https://api.example"],
  ])("takes the origin of %s", (value, expected) => {
    expect(parseOrigin(value)).toBe(expected);
  });
});

test("what is asked for instead is a base URL or an origin", () => {
  expect(refusalOf(() => parseAuthority("api.example")).hint).toContain("base URL");
  expect(refusalOf(() => parseOrigin("api.example")).hint).toContain("origin");
});
