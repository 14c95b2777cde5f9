import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentKey } from "../agent-key.js";
import { describeServerText } from "./describe-server-text.js";

test("escapes control and bidirectional characters", () => {
  expect(describeServerText("a\u001b[31mb\u202ec\u2028d\ne")).toBe(
    "a\\u001b[31mb\\u202ec\\u2028d e",
  );
});

test("hides every credential that has a known form, and the secrets that the caller names", () => {
  const pkcs8 = AgentKey.generate().exportPkcs8();
  const shown = describeServerText(
    `Bearer abcdefghijkl, AgentAssertion eyJhZ2VudF9y, eyJhbGciOiJSUzI1.eyJpc3Mi.c2ln cs_human_0123456789 ${pkcs8} mine-1`,
    ["mine-1"],
  );
  expect(shown).toBe(
    "Bearer [hidden], AgentAssertion [hidden], [hidden] [hidden] [hidden] [hidden]",
  );
});

test("gives at most 512 characters without control characters, and never a secret, for any text (G-H9)", () => {
  const secret = "s3cr3t-token";
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 1200 }), fc.nat(1200), (text, at) => {
      const shown = describeServerText(text.slice(0, at) + secret + text.slice(at), [secret]);
      expect([...shown].length).toBeLessThanOrEqual(512);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(shown).not.toContain(secret);
    }),
  );
});
