import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentAuthorityError, createAuthority } from "../src/index.js";
import { createOidcIssuer } from "../src/oidc.js";
import { expectRefusal } from "./expect-refusal.js";
import { AUDIENCE, LocalIssuer } from "./local-issuer.js";
import { agentBody, TestedAuthority } from "./start-authority.js";

let staff: LocalIssuer;
let ci: LocalIssuer;
let tested: TestedAuthority;
const logged: [Readonly<Record<string, unknown>>, string][] = [];

beforeEach(async () => {
  logged.length = 0;
  const log = (...line: (typeof logged)[number]) => logged.push(line);
  staff = await LocalIssuer.start();
  ci = await LocalIssuer.start();
  tested = await TestedAuthority.start({
    humans: [
      createOidcIssuer(staff.options({ name: "staff" })),
      createOidcIssuer(ci.options({ name: "ci", account: "acct-2", require: { owner: "7" } })),
    ],
    logger: { info: log, error: log },
  });
});
afterEach(async () => {
  await tested[Symbol.asyncDispose]();
  await staff[Symbol.asyncDispose]();
  await ci[Symbol.asyncDispose]();
});

const whoami = (token: string) =>
  tested.call("GET", "/v1/whoami", { headers: { authorization: `Bearer ${token}` } });

/** A good token of the issuer `staff` with so many characters. */
async function tokenOfLength(length: number): Promise<string> {
  const token = (filler: number) => staff.token({ claims: { filler: "a".repeat(filler) } });
  const filler = Math.floor(((length - (await token(0)).length) * 3) / 4);
  for (const more of [0, 1, 2]) {
    const made = await token(filler + more);
    if (made.length === length) return made;
  }
  // The last group of base64url has two to four characters.
  throw new Error(`no token has ${length} characters`);
}

describe("an authority with two issuers", () => {
  test("is not started when both have one name", async () => {
    const humans = [createOidcIssuer(staff.options()), createOidcIssuer(ci.options())];
    await expectRejection(
      createAuthority({ store: tested.store, humans }),
      AgentAuthorityError,
      "config_invalid",
    );
  });

  test("rejects all invalid tokens with one text, and a token of an unknown issuer (G-A7)", async () => {
    const owner = { claims: { owner: "8" } };
    const answers = [
      await whoami(await ci.token(owner)),
      await whoami(await staff.token({ claims: { exp: 1 } })),
      await whoami(await staff.token({ claims: { aud: "https://other.example" } })),
    ];
    for (const answer of answers) expectRefusal(answer, 401, "unauthenticated");
    expect(new Set(answers.map(({ body }) => body.detail)).size).toBe(1);
    const stranger = await staff.token({ claims: { iss: "https://login.example" } });
    expectRefusal(await whoami(stranger), 401, "unauthenticated");
  });

  test("logs the reason for its operator, with the id of the request", async () => {
    const answer = await whoami(await ci.token({ claims: { owner: "8" } }));
    expect(logged).toContainEqual([
      {
        request_id: answer.headers["x-request-id"],
        reason: "oidc ci: required owner",
        seen: '"8"',
        expected: expect.any(String),
      },
      "an issuer's token was refused",
    ]);
    await whoami(await ci.token({ claims: { aud: "https://other.example" } }));
    expect(logged.map(([fields]) => fields)).toContainEqual({
      request_id: expect.any(String),
      reason: "oidc ci: audience",
      seen: '"https://other.example"',
      expected: AUDIENCE,
    });
    await whoami(await ci.token({ claims: { iss: `${ci.url}/` } }));
    expect(logged.map(([fields]) => fields)).toContainEqual({
      request_id: expect.any(String),
      reason: "oidc ?: issuer iss",
      seen: JSON.stringify(`${ci.url}/`),
      expected: `${staff.url} or ${ci.url}`,
    });
    ci.answerAll({ status: 500, body: "{}" });
    tested.clock.nowMs += 30_000;
    await whoami(await ci.token({ header: { kid: "key-2" } }));
    const outage = logged.find(([, message]) => message.endsWith("is unreachable"));
    expect(String(outage?.[0].err)).toContain("the issuer ci does not tell its keys");
  });

  test("never logs or discloses anything from a token (G-A7)", async () => {
    const token = await staff.token({ claims: { aud: "https://other.example" } });
    const { text } = await whoami(token);
    const [header = "", payload = "", signature = ""] = token.split(".");
    for (const part of [header, payload, signature]) {
      expect(JSON.stringify(logged) + text).not.toContain(part);
    }
  });

  test("answers 503 while an issuer's keys cannot be had, and goes on with the other and its own (G-A6)", async () => {
    staff.answerAll({ status: 500, body: "{}" });
    const answer = await whoami(await staff.token());
    expectRefusal(answer, 503, "server_error");
    expect(answer.headers["retry-after"]).toBeDefined();
    const others = [await ci.token({ claims: { owner: "7" } }), await tested.token()];
    for (const token of others) expect((await whoami(token)).status).toBe(200);
  });

  test("asks no issuer for its own tokens, nor one for the other's", async () => {
    await whoami(await tested.token());
    await whoami(await staff.token());
    expect(ci.requests).toEqual([]);
    expect(staff.keyRequests).toBe(1);
  });

  test("keeps equal users of both, and of its own tokens, apart (G-A4)", async () => {
    const answers = [
      await whoami(await staff.token()),
      await whoami(await ci.token({ claims: { owner: "7" } })),
      await whoami(await tested.token()),
    ];
    expect(answers.map(({ body }) => body)).toMatchObject([
      { account_id: "acct-1", user_id: "staff:user-1" },
      { account_id: "acct-2", user_id: "ci:user-1" },
      { account_id: "acct-1", user_id: "user-1" },
    ]);
  });

  test("takes no such token for its directory", async () => {
    const token = await staff.token();
    const { id } = await tested.agent();
    const headers = { authorization: `Bearer ${token}` };
    const answer = await tested.call("GET", `/v1/agent/${id}`, { headers });
    expectRefusal(answer, 401, "unauthenticated");
  });

  test("registers agents by bearer and by biscuit, which end after thirty days and belong to their user alone", async () => {
    const key = AgentKey.generate();
    const { status, body } = await tested.registerAgent(await staff.token(), key);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { account_id: "acct-1", user_id: "staff:user-1", expires_at: "2026-05-15T12:00:00Z" },
    });
    const path = "/v1/agent/register";
    const register = async (token: string) =>
      tested.call("POST", path, {
        headers: { "x-openai-authorization": await tested.biscuit(token, path) },
        body: agentBody(key),
      });
    const again = await register(await staff.token());
    expect(again.body).toMatchObject({ agent_runtime_id: body.agent_runtime_id });
    // The key is proved, and another's from then on.
    expect((await tested.registerTask(body.agent_runtime_id, key)).status).toBe(200);
    const other = await register(await staff.token({ claims: { sub: "user-2" } }));
    expectRefusal(other, 409, "invalid_key");
  });

  test("takes a token of 32,767 characters by bearer and by biscuit", async () => {
    const token = await tokenOfLength(32_767);
    expect((await whoami(token)).body).toMatchObject({ user_id: "staff:user-1" });
    expect((await tested.registerAgent(token, AgentKey.generate())).status).toBe(200);
    const client = new AuthorityClient({ authority: tested.url });
    expect(await client.whoami(token)).toMatchObject({ userId: "staff:user-1" });
    const key = AgentKey.generate();
    const path = "/v1/agent/register";
    const headers = {
      "x-openai-authorization": await client.biscuit(token, { method: "POST", path }),
    };
    expect((await tested.call("POST", path, { headers, body: agentBody(key) })).status).toBe(200);
  });

  test("refuses a longer token, and says so to its operator", async () => {
    const plain = await whoami(await staff.token({ claims: { exp: 1 } }));
    const answer = await whoami(await tokenOfLength(32_769));
    expectRefusal(answer, 401, "unauthenticated");
    expect(answer.body.detail).toBe(plain.body.detail);
    expect(logged.map(([fields]) => fields)).toContainEqual({
      request_id: expect.any(String),
      reason: "oidc ?: length",
      seen: "32769",
      expected: "at most 32768 characters",
    });
  });

  test.each([100, 2_000, 8_000])("refuses a token nested %i deep with 401", async (depth) => {
    const [, ...rest] = (await staff.token()).split(".");
    const header = `{"alg":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    const token = [Buffer.from(header).toString("base64url"), ...rest].join(".");
    expectRefusal(await whoami(token), 401, "unauthenticated");
    expect(logged.map(([{ reason }]) => reason)).toContain("oidc staff: algorithm");
  });

  test("writes down which issuer it was", async () => {
    await tested.registerAgent(await staff.token(), AgentKey.generate());
    const [event] = await tested.authority.registry.listAuditEvents({ action: "agent_registered" });
    expect(event).toMatchObject({ accountId: "acct-1", userId: "staff:user-1" });
    expect(JSON.stringify(event)).toContain("oidc:staff");
  });
});
