import { AgentKeyError } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { keySetUrl } from "./key-set-url.js";

test("refuses what is no base URL, and plain http to another machine", () => {
  for (const base of ["authority.example", "http://authority.example", "https://a.example/?x"]) {
    expect(() => keySetUrl(base)).toThrow(AgentKeyError);
  }
  expect(keySetUrl("http://authority.example", { insecureHttp: true })).toBe(
    "http://authority.example/api/codex/agent-identities/jwks",
  );
});

test.each([
  ["https://a.example", "https://a.example/api/codex/agent-identities/jwks"],
  ["https://a.example///", "https://a.example/api/codex/agent-identities/jwks"],
  ["https://a.example/x", "https://a.example/x/api/codex/agent-identities/jwks"],
  ["https://a.example/api/codex/", "https://a.example/api/codex/agent-identities/jwks"],
  ["https://a.example/backend-api", "https://a.example/backend-api/wham/agent-identities/jwks"],
  [
    "https://a.example/backend-api/api/codex",
    "https://a.example/backend-api/api/codex/wham/agent-identities/jwks",
  ],
  ["https://backend-api.example", "https://backend-api.example/api/codex/agent-identities/jwks"],
])("of the base %s it is %s", (base, url) => {
  expect(keySetUrl(base)).toBe(url);
});
