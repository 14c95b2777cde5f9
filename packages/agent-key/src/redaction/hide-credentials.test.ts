import { propertyRuns } from "@countersign/testing/effort";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { hideCredentials } from "./hide-credentials.js";

const SECRET = "qNzPb5yY2mF3xR8tV1wK7sJ4hD6gL0aE9cU_iO-uT5k";

describe("hides (G-A41)", () => {
  test.each([
    `cs_human_${SECRET}`,
    `a cs_rs_${SECRET} in the middle`,
    `/v1/agent/cs_operate_${SECRET}`,
    `/v1/agent/cs%5Foperate%5F${SECRET}`,
    `Authorization: Bearer ${SECRET}`,
    `authorization: basic ${SECRET}=`,
    `AgentAssertion eyJhZ2VudF9ydW50aW1lX2lkIjoi${SECRET}`,
    `eyJhbGciOiJSUzI1NiJ9.${SECRET}.${SECRET}`,
    `MC4CAQAwBQYDK2VwBCIEI${SECRET.replaceAll("_", "/").replaceAll("-", "+")}`,
    `-----BEGIN PRIVATE KEY-----\\n${SECRET}\\n-----END PRIVATE KEY-----`,
    `postgres://countersign:${SECRET}@db.example/x`,
    `postgresql://countersign:p@ss${SECRET}@db.example/x`,
    `https://user:${SECRET}@authority.example/v1`,
    `postgres://db.example/x?password=${SECRET}&ssl=true`,
    `/callback?code=${SECRET}`,
    `{"headers":{"Authorization":"${SECRET}"}}`,
    `{"x-openai-authorization":"${SECRET}"}`,
    `{"cookie":"sid=${SECRET}"}`,
    `{"password":"${SECRET} with \\" a quote ${SECRET}"}`,
    `{"access_token":"${SECRET}","db_password":"${SECRET}"}`,
    `{"api-key":"${SECRET}","X-Goog-Api-Key":"${SECRET}"}`,
    `/v1/agent/sk-proj-${SECRET}/task/register`,
    `/v1/agent/Bearer%20${SECRET}`,
    `/v1/agent/Bearer+${SECRET}`,
    `/v1/agent/agent_cs_human_${SECRET}`,
    `/v1/agent/AIza${SECRET}`,
    `xai-${SECRET}`,
    `gsk_${SECRET}`,
    `hf_${SECRET}`,
    `glpat-${SECRET}`,
    `xoxb-${SECRET}`,
    `MC4CAQAwBQYDK2VwBCIEI${SECRET}`,
    `/MC4CAQAwBQYDK2VwBCIEI${encodeURIComponent(`+/${SECRET}=`)}`,
    `{"msg":"a\\ncs_human_${SECRET}"}`,
    `{"msg":"a\\u001beyJhbGciOiJFZERTQSJ9.${SECRET}"}`,
    `{"msg":"a\\nBearer ${SECRET}"}`,
    `/-----BEGIN%20PRIVATE%20KEY-----%0A${SECRET}`,
  ])("%s", (text) => {
    const shown = hideCredentials(JSON.stringify({ msg: "x", at: 1 }) + text);
    expect(shown).not.toContain(SECRET.slice(4, 20));
    expect(shown).toContain("[hidden]");
  });
});

// The forms in which the same secret may come in a path.
const forms: readonly (readonly [string, (text: string) => string])[] = [
  ["percent-encoded whole", (text) => encodeWhole(text)],
  ["percent-encoded twice", (text) => encodeURIComponent(encodeWhole(text))],
  [
    "percent-encoded three times",
    (text) => encodeURIComponent(encodeURIComponent(encodeWhole(text))),
  ],
  ["percent-encoded whole, twice", (text) => encodeWhole(encodeWhole(text))],
  ["percent-encoded whole, three times", (text) => encodeWhole(encodeWhole(encodeWhole(text)))],
  ["as %uXXXX", (text) => encodeWhole(text).replaceAll("%", "%u00")],
  ["as %uXXXX, encoded again", (text) => encodeWhole(encodeWhole(text).replaceAll("%", "%u00"))],
  ["in part", (text) => text.replace(/^../, encodeWhole).replaceAll("_", "%5f")],
  ["as base64url", (text) => Buffer.from(text).toString("base64url")],
  [
    "as base64, percent-encoded",
    (text) => encodeURIComponent(Buffer.from(text).toString("base64")),
  ],
];

function encodeWhole(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

describe.each(forms)("hides %s (G-A41)", (_, encode) => {
  test.each([
    `cs_human_${SECRET}`,
    `cs_rs_${SECRET}`,
    `eyJhbGciOiJSUzI1NiJ9.${SECRET}.${SECRET}`,
    `sk-${SECRET}`,
    `Bearer ${SECRET}`,
    `AgentAssertion eyJ${SECRET}`,
    `MC4CAQAwBQYDK2VwBCIEI${SECRET}`,
  ])("%s", (credential) => {
    const shown = hideCredentials(`/v1/agent/${encode(credential)}`);
    expect(shown).toMatch(/^\/v1\/agent\/[^/]*\[hidden\]$/);
    expect(shown.replace(/%(?:25)*(?:u00)?([2-7][0-9a-f])/gi, "")).toMatch(
      /^\/v1\/agent\/(?:\w+ )?\[hidden\]$/,
    );
  });
});

test("hides each of several in one path", () => {
  const path = `/v1/agent/Bearer%20${SECRET}/task/Bearer+${SECRET}/cs_human_${SECRET}/x`;
  expect(hideCredentials(path)).toBe("/v1/agent/Bearer%20[hidden]Bearer+[hidden]");
});

test("is the same a second time", () => {
  for (const text of [`Bearer ${SECRET}`, `/x?token=${SECRET}`, `{"token":"${SECRET}"}`]) {
    const shown = hideCredentials(text);
    expect(hideCredentials(shown)).toBe(shown);
  }
});

test.each([
  "agent_01a2053b-e796-7158-8b05-29dcd52a5883",
  "task_01a2053b-e796-7158-8b05-29dcd52a5883",
  "01a2053b-e796-7158-8b05-29dcd52a5883",
  "01J9ZC3Q6HZ5V8K2N4M7P1R3T5",
  "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  "codex-agent-identity-AAECAwQFBgcICQoLDA0ODw",
  "req_011CSHoEeqs5C35K2UUqR7Fy",
  "thread-42",
  "risk-analysis-of-the-market-2026",
  "Gespräch 7, 100% fertig, %zz %e4%b8%ad %22quoted%22",
  "/v1/agent/agent%5F01a2053b-e796-7158-8b05-29dcd52a5883/task/register",
])("leaves %s", (text) => {
  expect(hideCredentials(text)).toBe(text);
});

test("hides no more of a line than its string, and never another credential's neighbours", () => {
  const path = `/a/cs_human_${SECRET}/b/-----BEGIN%20PRIVATE%20KEY-----%22%5C`;
  const line = JSON.stringify({ path, status: 401, address: "192.0.2.1" });
  expect(JSON.parse(hideCredentials(line))).toEqual({
    path: "/a/[hidden]/b/[hidden]",
    status: 401,
    address: "192.0.2.1",
  });
});

test("takes any JSON line for one, whatever stands in it", () => {
  const piece = fc.constantFrom(
    '"',
    "\\",
    "%22",
    "%5C",
    "%2522",
    "Bearer ",
    "cs_human_",
    SECRET,
    '"token":"',
    "://a:",
    "@",
    "?token=",
    "-----BEGIN PRIVATE KEY-----",
    "%",
    "\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const line = JSON.stringify({ path: pieces.join(""), status: 1 });
      expect(JSON.parse(hideCredentials(line))).toMatchObject({ status: 1 });
    }),
    { numRuns: propertyRuns(5000) },
  );
});

test("takes time that grows with the length alone", () => {
  for (const piece of [
    "a.",
    "://:",
    "%25",
    "-----BEGIN ",
    '"a_',
    "Bearer ",
    "eyJ.",
    "?token=",
    "\\u0",
  ]) {
    const text = piece.repeat(200_000 / piece.length);
    expect(hideCredentials(text).length).toBeGreaterThan(0);
  }
}, 20_000);

test("leaves what is no secret, and JSON that can be parsed", () => {
  const line = JSON.stringify({
    time: "2026-04-15T12:00:00.000Z",
    level: "info",
    msg: "a token was refused; the basic form is bearer",
    path: "/v1/agent/agent_01a2053b-e796-7158-8b05-29dcd52a5883/task/register",
    url: "http://127.0.0.1:4600",
    database: "postgres://countersign@db.example:5432/countersign",
    code: "unauthenticated",
  });
  expect(hideCredentials(line)).toBe(line);
  const secrets = JSON.stringify({ msg: `Bearer ${SECRET}`, authorization: `"${SECRET}\\` });
  expect(JSON.parse(hideCredentials(secrets))).toEqual({
    msg: "Bearer [hidden]",
    authorization: "[hidden]",
  });
});

test("makes no expression for a text that has nothing to hide", () => {
  const matchAll = vi.spyOn(RegExp.prototype, Symbol.matchAll);
  hideCredentials("/v1/agent/agent_01a2053b-e796-7158-8b05-29dcd52a5883/task/register");
  expect(matchAll).not.toHaveBeenCalled();
  matchAll.mockRestore();
});
