import { describe, expect, it } from "vitest";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { AssertionRejected } from "../verify/assertion-rejected.js";
import { createIntrospectionResponse, parseIntrospectionRequest } from "./introspection.js";

describe("parseIntrospectionRequest", () => {
  it("rejects every other form", () => {
    for (const body of [
      undefined,
      null,
      [],
      "AgentAssertion e30",
      {},
      { assertion: "AgentAssertion e30" },
      { authorization: 7 },
      { authorization: ["AgentAssertion e30"] },
      { authorization: "x".repeat(16_385) },
    ]) {
      const error = (() => {
        try {
          return parseIntrospectionRequest(body);
        } catch (reason) {
          return reason;
        }
      })();
      expect(AgentAssertionError.is(error) && error.code, JSON.stringify(body)).toBe(
        "invalid_request",
      );
    }
  });

  it("gives the field as it was received, also one that is no assertion", () => {
    const authorization = "Bearer x";
    expect(parseIntrospectionRequest({ authorization, more: 1 })).toBe(authorization);
  });
});

describe("createIntrospectionResponse", () => {
  it("names no caller before the signature held", () => {
    const claimed = { agentRuntimeId: "agent_1", taskId: "task_1" };
    const answer = createIntrospectionResponse(
      new AssertionRejected("bad_signature", "no", { claimed }),
    );
    expect(answer).toEqual({ active: false, code: "bad_signature" });
  });

  it("names whom it came from once the signature held", () => {
    const proven = {
      agentRuntimeId: "agent_1",
      taskId: "task_1",
      accountId: "acct-1",
      userId: "user-1",
    };
    const answer = createIntrospectionResponse(
      new AssertionRejected("task_revoked", "no", { claimed: proven, proven }),
    );
    expect(answer).toEqual({
      active: false,
      code: "task_revoked",
      agent_runtime_id: "agent_1",
      task_id: "task_1",
      account_id: "acct-1",
      user_id: "user-1",
    });
  });

  it("says what a verifier found", () => {
    const answer = createIntrospectionResponse({
      authority: "https://authority.example",
      agentRuntimeId: "agent_1",
      taskId: "task_1",
      accountId: "acct-1",
      userId: "user-1",
      capabilities: ["read"],
      issuedAt: Date.UTC(2026, 2, 23, 12),
      skewSeconds: -3,
      covered: [],
    });
    expect(answer).toEqual({
      active: true,
      authority: "https://authority.example",
      agent_runtime_id: "agent_1",
      task_id: "task_1",
      account_id: "acct-1",
      user_id: "user-1",
      capabilities: ["read"],
      issued_at: "2026-03-23T12:00:00Z",
      skew_seconds: -3,
    });
  });
});
