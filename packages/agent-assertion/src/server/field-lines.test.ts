import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { authorizationLines } from "./field-lines.js";

const A = "AgentAssertion e30";
const request = (rawHeaders: string[], authorization?: string) =>
  ({ rawHeaders, headers: { authorization } }) as IncomingMessage;

test.each<[string, IncomingMessage, string[]]>([
  [
    "as the raw lines say",
    request(["Authorization", A, "authorization", "Bearer x"], A),
    [A, "Bearer x"],
  ],
  ["of headers, where an adapter gives no raw lines", request([], A), [A]],
  ["of headers that are joined", request([], `Bearer x, ${A}`), ["Bearer x", A]],
  ["in one raw line", request(["Authorization", `,${A}`]), ["", A]],
  [
    "of another scheme, with its commas",
    request(["Authorization", "Digest a=1, b=2"]),
    ["Digest a=1, b=2"],
  ],
  ["that are not there", request(["Host", "a"]), []],
])("finds the Authorization fields %s (G-M2)", (_, message, lines) => {
  expect(authorizationLines(message)).toEqual(lines);
});
