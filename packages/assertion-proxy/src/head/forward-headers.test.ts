import { faultsOfWording } from "@countersign/testing";
import { expect, test } from "vitest";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import { parseForwardHeaders } from "./forward-headers.js";

const rules = {
  own: new Set(["x-own"]),
  isReserved: (name: string) => name === "x-reserved",
};

test.each(["no name", "Cookie", "Connection", "X-Own", "X.Reserved"])(
  "the refusal of %s says why it cannot be forwarded",
  (name) => {
    let thrown: unknown;
    try {
      parseForwardHeaders([name], rules);
    } catch (error) {
      thrown = error;
    }
    if (!AssertionProxyError.is(thrown)) throw thrown;
    expect([thrown.code, faultsOfWording(thrown)]).toEqual(["config_invalid", []]);
    expect(thrown.message).toMatch(/: (?:it|only|the proxy) .+/);
  },
);
