import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearestName } from "./nearest-name.js";

const names = ["use_agent_identity", "apps", "memories"];

describe("nearestName", () => {
  test.each([
    ["use_agent_identty", "use_agent_identity"],
    ["use_agent_identtiy", "use_agent_identity"],
    ["use_agent_identityy", "use_agent_identity"],
    ["use-agent-identity", "use_agent_identity"],
    ["USE_AGENT_IDENTITY", "use_agent_identity"],
    ["agent_identity", "use_agent_identity"],
    ["aps", "apps"],
    ["memroies", "memories"],
  ])("finds what %s was meant to be", (written, meant) => {
    expect(nearestName(written, names)).toBe(meant);
  });

  test.each(["", "x", "xyz", "nope", "a".repeat(65), "use_agent_identity".repeat(1000)])(
    "finds nothing near %.20s",
    (written) => {
      expect(nearestName(written, names)).toBeUndefined();
    },
  );

  test("does not look at a text without end", () => {
    expect(nearestName("a".repeat(20_000_000), ["a".repeat(64)])).toBeUndefined();
  });

  test("takes the first of equally near names", () => {
    expect(nearestName("cat", ["bat", "hat"])).toBe("bat");
  });

  test("finds every name that one swap away is written", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{6,20}$/), fc.nat(18), (name, position) => {
        const at = position % (name.length - 1);
        const [a = "", b = ""] = name.slice(at, at + 2);
        expect(nearestName(name.slice(0, at) + b + a + name.slice(at + 2), [name])).toBe(name);
      }),
    );
  });

  test("never fails, whatever is written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (written) => {
        const nearest = nearestName(written, names);
        expect(nearest === undefined || names.includes(nearest)).toBe(true);
      }),
    );
  });
});
