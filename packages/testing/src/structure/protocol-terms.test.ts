import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PROTOCOL_TERMS, termsNotFound } from "../../checks/structure/protocol-terms.ts";

const ROOT = join(import.meta.dirname, "../../../..");

describe("a term is not found", () => {
  test.each([
    ["in no file", []],
    ["in a longer name", ["packages/a/src/revocation-delay-options.ts"]],
    ["in a test", ["packages/a/src/revocation-delay.test.ts"]],
    ["outside of the source", ["packages/a/test/revocation-delay.ts", "revocation-delay.ts"]],
    ["in another kind of file", ["packages/a/src/revocation-delay.md"]],
  ])("%s", (_where, files) => {
    expect(termsNotFound(["Revocation delay"], files)).toEqual(["Revocation delay"]);
  });
});

test("a term is found by a file or a folder of its name", () => {
  const files = ["packages/a/src/identity-jwt/verify.ts", "packages/a/src/b/biscuit.ts"];
  expect(termsNotFound(["Identity JWT", "Biscuit"], files)).toEqual([]);
});

test("each term of the protocol is in the glossary, and found at the first guess", () => {
  const glossary = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
  expect(PROTOCOL_TERMS.filter((term) => !glossary.includes(`\n- **${term}**: `))).toEqual([]);
  const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" });
  expect(termsNotFound(PROTOCOL_TERMS, tracked.split("\0"))).toEqual([]);
});
