import type { Code } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { AgentIdentityError } from "../agent-identity-error.js";
import {
  createBiscuitRequestHeaders,
  parseBiscuitRequestHeaders,
  parseBiscuitResponseHeaders,
} from "./biscuit.js";

const REQUEST = {
  accessToken: "token-1",
  method: "POST",
  url: "https://authority.example/v1/agent/register",
  requestId: "r-1",
};
const HEADERS = createBiscuitRequestHeaders(REQUEST);

async function expectRefused(parse: () => unknown, code: Code): Promise<void> {
  await expectRejection(Promise.resolve().then(parse), AgentIdentityError, code);
}

test.each([
  [{ authorization: undefined }, "unauthenticated"],
  [{ authorization: "Basic dG9rZW4=" }, "unauthenticated"],
  [{ authorization: "Bearer " }, "unauthenticated"],
  [{ authorization: "Bearer two words" }, "unauthenticated"],
  [{ authorization: ["Bearer a", "Bearer b"] }, "unauthenticated"],
  [{ "x-original-method": undefined }, "invalid_request"],
  [{ "x-original-method": "post" }, "invalid_request"],
  [{ "x-original-url": "/v1/agent/register" }, "invalid_request"],
  [{ "x-original-url": ["https://a.example", "https://b.example"] }, "invalid_request"],
  [{ "x-request-id": "" }, "invalid_request"],
  [{ "x-request-id": "a b" }, "invalid_request"],
] as const)("refuses a biscuit request with %j", async (headers, code) => {
  await expectRefused(() => parseBiscuitRequestHeaders({ ...HEADERS, ...headers }), code);
});

test("reads a biscuit request as it was made", () => {
  expect(parseBiscuitRequestHeaders(HEADERS)).toMatchObject(REQUEST);
});

test("reads an access token of any length: what carries the request bounds it", () => {
  const accessToken = "a".repeat(32_768);
  const headers = createBiscuitRequestHeaders({ ...REQUEST, accessToken });
  expect(parseBiscuitRequestHeaders(headers).accessToken).toBe(accessToken);
});

test.each([[undefined], [""], ["two words"], ["é"], ["x".repeat(8193)], [["a", "b"]]])(
  "refuses an answer with the biscuit %j",
  async (value) => {
    const headers = { "x-openai-authorization": value };
    await expectRefused(() => parseBiscuitResponseHeaders(headers), "bad_response");
  },
);

test("reads the biscuit of an answer", () => {
  expect(parseBiscuitResponseHeaders({ "x-openai-authorization": "b" })).toBe("b");
});
