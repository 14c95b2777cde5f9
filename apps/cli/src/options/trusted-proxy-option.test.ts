import { describe, expect, test } from "vitest";
import type { Run } from "../config/run.js";
import { trustedProxiesOf } from "./trusted-proxy-option.js";

function runWith(variable?: string): Run {
  const environment = new Map(
    variable === undefined ? [] : [["COUNTERSIGN_TRUSTED_PROXIES", variable]],
  );
  return { environment } as unknown as Run;
}

describe("the proxies that a gateway trusts", () => {
  test.each([["proxy.example"], ["10.0.0.0/33"], [""]])("cannot be %j", (entry) => {
    expect(() => trustedProxiesOf(runWith(), [entry])).toThrow(
      expect.objectContaining({ code: "usage" }),
    );
    if (entry === "") return;
    expect(() => trustedProxiesOf(runWith(`10.0.0.1, ${entry}`), undefined)).toThrow(
      expect.objectContaining({ code: "config_invalid" }),
    );
  });

  test("are those of the option, else of the variable, else none", () => {
    expect(trustedProxiesOf(runWith("192.0.2.1"), ["10.0.0.0/8"])).toEqual(["10.0.0.0/8"]);
    expect(trustedProxiesOf(runWith(" 192.0.2.1, 2001:db8::/32,"), undefined)).toEqual([
      "192.0.2.1",
      "2001:db8::/32",
    ]);
    expect(trustedProxiesOf(runWith(), undefined)).toEqual([]);
  });
});
