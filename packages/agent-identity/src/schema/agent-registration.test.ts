import { AgentKey, type Code } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AgentIdentityError } from "../agent-identity-error.js";
import {
  createAgentRegistrationRequest,
  createAgentRegistrationResponse,
  parseAgentRegistrationResponse,
} from "./agent-registration.js";
import { parseAgentRegistrationRequest } from "./agent-registration-request.js";

const { publicKey } = AgentKey.generate();
const BODY = {
  abom: { agent_version: "1", agent_harness_id: "test", running_location: "here" },
  agent_public_key: publicKey.line,
  capabilities: ["one"],
  ttl: 60,
};

async function expectRefused(parse: () => unknown, code: Code): Promise<void> {
  await expectRejection(Promise.resolve().then(parse), AgentIdentityError, code);
}

describe("a registration request is refused", () => {
  const cases: readonly [string, unknown][] = [
    ["that is no object", []],
    ["without an abom", { ...BODY, abom: undefined }],
    ["with an abom that lacks a member", { ...BODY, abom: { agent_version: "1" } }],
    [
      "with control characters in its abom",
      { ...BODY, abom: { ...BODY.abom, agent_version: "1\u001b[2J" } },
    ],
    [
      "with bidirectional characters in its abom",
      { ...BODY, abom: { ...BODY.abom, running_location: "\u202ex" } },
    ],
    [
      "with an abom of 257 characters",
      { ...BODY, abom: { ...BODY.abom, agent_version: "1".repeat(257) } },
    ],
    ["without a key", { ...BODY, agent_public_key: undefined }],
    ["with capabilities that are no list", { ...BODY, capabilities: "all" }],
    ["with capabilities that are no texts", { ...BODY, capabilities: [1] }],
    ["with 65 capabilities", { ...BODY, capabilities: Array(65).fill("one") }],
    ["with a lifetime of nothing", { ...BODY, ttl: 0 }],
    ["with half a second of lifetime", { ...BODY, ttl: 0.5 }],
    ["for an account that is no account id", { ...BODY, account_id: "acct 1" }],
    ["for a user that is no user id", { ...BODY, user_id: 1 }],
  ];
  test.each(cases)("%s", async (_, body) => {
    await expectRefused(() => parseAgentRegistrationRequest(body), "invalid_request");
  });

  test.each([
    ["no line", "AAAA"],
    ["another type", "ssh-rsa AAAA"],
    [
      "the identity point",
      `ssh-ed25519 ${Buffer.concat([Buffer.from("0000000b7373682d65643235353139000000200100", "hex"), Buffer.alloc(30)]).toString("base64")}`,
    ],
  ])("with a key that is %s", async (_, line) => {
    const body = { ...BODY, agent_public_key: line };
    await expectRefused(() => parseAgentRegistrationRequest(body), "invalid_key");
  });
});

test("a registration request is read as Codex of both generations writes it", () => {
  const { ttl: _, ...generationA } = { ...BODY, capabilities: [] };
  expect(parseAgentRegistrationRequest(generationA)).not.toHaveProperty("ttlSeconds");
  const generationC = parseAgentRegistrationRequest({ ...BODY, ttl: null, extra: 1 });
  expect(generationC).not.toHaveProperty("ttlSeconds");
  expect(generationC.publicKey.equals(publicKey)).toBe(true);
});

test("a registration request is read as it was made, in Codex's member order", () => {
  const request = parseAgentRegistrationRequest(BODY);
  expect(request).toMatchObject({ capabilities: ["one"], ttlSeconds: 60 });
  expect(JSON.stringify(createAgentRegistrationRequest(request))).toBe(JSON.stringify(BODY));
});

test("a registration request says whom it is for, if the client knows", () => {
  const human = { accountId: "acct-1", userId: "user-1" };
  const request = { ...parseAgentRegistrationRequest(BODY), ...human };
  const body = createAgentRegistrationRequest(request);
  expect(body).toEqual({ ...BODY, account_id: "acct-1", user_id: "user-1" });
  expect(parseAgentRegistrationRequest(body)).toMatchObject(human);
  const unsaid = parseAgentRegistrationRequest({ ...BODY, account_id: null, user_id: null });
  expect(unsaid).not.toHaveProperty("accountId");
  expect(unsaid).not.toHaveProperty("userId");
});

describe("a registration answer is refused", () => {
  test.each([
    [null],
    [[]],
    ["agent_1"],
    [{}],
    [{ agentRuntimeId: "agent_1" }],
    [{ agent_runtime_id: 7 }],
    [{ agent_runtime_id: "../../x" }],
    [{ agent_runtime_id: "agent_1", account_id: "a b" }],
    [{ agent_runtime_id: "agent_1", user_id: 1 }],
    [{ agent_runtime_id: "agent_1", expires_at: "soon" }],
  ])("%j", async (body) => {
    await expectRefused(() => parseAgentRegistrationResponse(body), "bad_response");
  });

  test("for every id that protocol.md §3 excludes, and for no other", () => {
    const allowed = /^[!$&-.0-9;=@-[\]-~]{1,256}$/;
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 300 }), (id) => {
        const parse = () => parseAgentRegistrationResponse({ agent_runtime_id: id });
        if (allowed.test(id) && id !== "." && id !== "..") {
          expect(parse()).toEqual({ agentRuntimeId: id });
        } else {
          expect(parse).toThrow(AgentIdentityError);
        }
      }),
    );
  });
});

test("a registration answer is read as it was made, and unknown members are ignored", () => {
  const response = {
    agentRuntimeId: "agent_1",
    accountId: "acct-1",
    userId: "user-1",
    expiresAt: Date.UTC(2026, 2, 23),
  };
  const body = { ...createAgentRegistrationResponse(response), extra: true };
  expect(parseAgentRegistrationResponse(body)).toEqual(response);
  expect(createAgentRegistrationResponse({ agentRuntimeId: "agent_1" })).toEqual({
    agent_runtime_id: "agent_1",
  });
  expect(parseAgentRegistrationResponse({ agent_runtime_id: "a", expires_at: null })).toEqual({
    agentRuntimeId: "a",
  });
});

test("writes expires_at in whole seconds, as every timestamp of the protocol", () => {
  const expiresAt = Date.UTC(2026, 2, 23, 12, 0, 0, 900);
  expect(createAgentRegistrationResponse({ agentRuntimeId: "a", expiresAt })).toEqual({
    agent_runtime_id: "a",
    expires_at: "2026-03-23T12:00:00Z",
  });
});
