import { describe, expect, test } from "vitest";
import { hideCredentials } from "./log-redaction.js";

const SECRET = "qNzPb5yY2mF3xR8tV1wK7sJ4hD6gL0aE9cU_iO-uT5k";

describe("hides", () => {
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
  ])("%s", (text) => {
    const shown = hideCredentials(JSON.stringify({ msg: "x", at: 1 }) + text);
    expect(shown).not.toContain(SECRET.slice(4, 20));
    expect(shown).toContain("[hidden]");
  });
});

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
