import { expectRejection } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { AgentIdentityError } from "../agent-identity-error.js";
import {
  agentRevocationPath,
  createAgentRevocationResponse,
  parseAgentRevocationResponse,
} from "./agent-revocation.js";

test.each([
  [null],
  [{}],
  [{ agent_runtime_id: "agent_1" }],
  [{ agent_runtime_id: "agent_1", agent_state: "active" }],
  [{ agent_runtime_id: "../x", agent_state: "revoked" }],
])("an answer to a revocation is refused that is %j", async (body) => {
  const parse = Promise.resolve().then(() => parseAgentRevocationResponse(body));
  await expectRejection(parse, AgentIdentityError, "bad_response");
});

test("an answer to a revocation is read as it was made", () => {
  const body = createAgentRevocationResponse({ agentRuntimeId: "agent_1" });
  expect(body).toEqual({ agent_runtime_id: "agent_1", agent_state: "revoked" });
  expect(parseAgentRevocationResponse({ ...body, extra: 1 })).toEqual({
    agentRuntimeId: "agent_1",
  });
  expect(agentRevocationPath("agent_1")).toBe("/v1/agent/agent_1/revoke");
});
