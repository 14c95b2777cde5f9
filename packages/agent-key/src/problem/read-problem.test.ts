import { describe, expect, test } from "vitest";
import { CODES, codeRow } from "../codes.js";
import { createProblem } from "./create-problem.js";
import { codeOfStatus, parseProblem, refusalCode } from "./read-problem.js";

const TYPE = "application/problem+json";
const SENT = CODES.filter((code) => codeRow(code).status !== 500);
const OWN = CODES.filter((code) => codeRow(code).status === 500);

describe("parseProblem", () => {
  test.each([
    ["no media type", undefined, "{}"],
    ["plain JSON", "application/json", "{}"],
    ["a longer media type", `${TYPE}s`, "{}"],
    ["no JSON", TYPE, "{"],
    ["null", TYPE, "null"],
    ["a text", TYPE, '"expired"'],
    ["a list", TYPE, "[]"],
  ])("is undefined for %s", (_, type, body) => {
    expect(parseProblem(type, body)).toBeUndefined();
  });

  test.each([
    ["an unknown code", { code: "no_such_code" }],
    ["a code that is not a text", { code: ["expired"] }],
    ["a member of every object", { code: "constructor" }],
    ["a detail that is not a text", { detail: 1, title: null }],
  ])("knows nothing of %s", (_, body) => {
    const nothing = { code: undefined, detail: undefined };
    expect(parseProblem(TYPE, JSON.stringify(body))).toEqual(nothing);
  });

  test.each([TYPE, `${TYPE}; charset=utf-8`, ` ${TYPE.toUpperCase()} ;x`])("reads %s", (type) => {
    expect(parseProblem(type, '{"code":"expired"}')?.code).toBe("expired");
  });

  test("gives the detail, else the title", () => {
    const detailOf = (body: object) => parseProblem(TYPE, JSON.stringify(body))?.detail;
    expect(detailOf({ detail: "why", title: "what" })).toBe("why");
    expect(detailOf({ title: "what" })).toBe("what");
  });
});

describe("refusalCode", () => {
  const read = (wwwAuthenticate: string | undefined, body: string) =>
    refusalCode({ wwwAuthenticate, contentType: TYPE }, () => body);

  test.each(SENT)("reads %s as our servers send it", async (code) => {
    const { headers, body } = createProblem(code);
    expect(await read(headers["www-authenticate"], body)).toBe(code);
  });

  test.each(OWN)("does not take %s from a server, which sends it never", async (code) => {
    expect(await read(`AgentAssertion error="${code}"`, JSON.stringify({ code }))).toBeUndefined();
  });

  test("goes by WWW-Authenticate before the body, and does not read that then", async () => {
    const fields = { wwwAuthenticate: "AgentAssertion error=expired", contentType: TYPE };
    const code = refusalCode(fields, () => expect.unreachable());
    expect(await code).toBe("expired");
  });

  test("goes by the body if WWW-Authenticate has no code of ours", async () => {
    expect(await read('AgentAssertion error="other"', '{"code":"expired"}')).toBe("expired");
  });

  test("does not read a body of another type", async () => {
    const fields = { wwwAuthenticate: null, contentType: "text/html" };
    expect(await refusalCode(fields, () => expect.unreachable())).toBeUndefined();
  });

  test("has no reason if the body breaks off", async () => {
    const fields = { wwwAuthenticate: null, contentType: TYPE };
    const code = refusalCode(fields, () => Promise.reject(new Error("reset")));
    expect(await code).toBeUndefined();
  });
});

test.each([
  [302, "bad_response"],
  [400, "invalid_request"],
  [401, "unauthenticated"],
  [402, "refused"],
  [403, "forbidden"],
  [404, "invalid_request"],
  [405, "invalid_request"],
  [409, "invalid_request"],
  [413, "invalid_request"],
  [415, "invalid_request"],
  [418, "refused"],
  [422, "invalid_request"],
  [429, "rate_limited"],
  [500, "server_error"],
  [503, "server_error"],
] as const)("codeOfStatus maps %i to %s", (status, code) => {
  expect(codeOfStatus(status)).toBe(code);
});
