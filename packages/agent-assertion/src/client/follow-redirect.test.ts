import { describe, expect, test } from "vitest";
import { followRedirect } from "./follow-redirect.js";

const get = {
  url: new URL("http://api.example/v1?q=1#part"),
  method: "GET",
  isReplayable: true,
} as const;

describe("a redirect", () => {
  test.each(["ftp://api.example/", "data:,x", "http://", "http://user@api.example/"])(
    "to %s is not followed",
    (location) => {
      expect(() => followRedirect(get, { status: 302, location })).toThrow(TypeError);
    },
  );

  // Servers of tests speak plain http: the scheme of most redirects is looked at here.
  test("to https at the same host goes to another origin, without the fields of this one", () => {
    const location = "https://api.example/v1?q=1";
    const { url, droppedFields } = followRedirect(get, { status: 301, location });
    expect(url.href).toBe("https://api.example/v1?q=1#part");
    expect(droppedFields).toEqual(["authorization", "cookie", "host", "proxy-authorization"]);
  });
});
