import { describe, expect, test } from "vitest";
import { readChallenge } from "./read-challenge.js";

const errorOf = (field: string) => readChallenge(field, "agentassertion", "error");

describe("readChallenge", () => {
  test.each([
    ["no challenge", ""],
    ["another scheme", 'Bearer error="bad_signature"'],
    ["another parameter", 'AgentAssertion realm="bad_signature"'],
    ["the scheme as a value", 'Bearer realm="AgentAssertion error=bad_signature"'],
    ["the parameter of the scheme that follows", 'AgentAssertion, Bearer error="bad_signature"'],
    ["a longer scheme", 'XAgentAssertion error="bad_signature"'],
    ["the scheme as credentials", 'Negotiate AgentAssertion, error="bad_signature"'],
    ["a quoted string without an end", 'AgentAssertion error="bad_signature'],
    ["no value", "AgentAssertion error="],
    ["what comes after a broken part", 'Bearer "x", AgentAssertion error="bad_signature"'],
    ["a value with more behind it", 'AgentAssertion error="bad" signature'],
  ])("finds nothing in %s", (_, field) => {
    expect(errorOf(field)).toBeUndefined();
  });

  test.each([
    ["alone", 'AgentAssertion error="bad_signature"'],
    ["as a token", "AgentAssertion error=bad_signature"],
    ["behind another parameter", 'AgentAssertion realm="r", error="bad_signature"'],
    [
      "behind a parameter with a comma and quotes",
      String.raw`AgentAssertion realm="a, \"b\" error=x", error="bad_signature"`,
    ],
    ["behind another challenge", 'Bearer realm="r", AgentAssertion error="bad_signature"'],
    ["behind a challenge without parameters", 'Negotiate, AgentAssertion error="bad_signature"'],
    ["behind credentials", 'Negotiate YQ==, AgentAssertion error="bad_signature"'],
    [
      "before another challenge",
      'AgentAssertion error="bad_signature", Bearer error="invalid_token"',
    ],
    [
      "in a second challenge of the scheme",
      'AgentAssertion realm="r", AgentAssertion error="bad_signature"',
    ],
    ["in other letters", 'AGENTASSERTION Error="bad_signature"'],
    [
      "with white space and empty members",
      '\t, ,AgentAssertion \t realm = "r" ,, error\t=\t"bad_signature" , ',
    ],
    ["with escapes", String.raw`AgentAssertion error="bad\_signature"`],
  ])("finds the parameter %s", (_, field) => {
    expect(errorOf(field)).toBe("bad_signature");
  });

  test("takes the first of two", () => {
    expect(errorOf('AgentAssertion error="expired", error="bad_signature"')).toBe("expired");
  });

  test("reads a long field in linear steps", () => {
    const parts = [", ", "a ", 'a="', "a=", "a/", '\\"', "AgentAssertion "];
    for (const part of parts) expect(errorOf(part.repeat(100_000))).toBeUndefined();
  });
});
