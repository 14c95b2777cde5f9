import type { AuditEvent } from "@countersign/agent-authority";
import { expect, test } from "vitest";
import { findTermsOf } from "../../find/find-terms.js";
import { auditLine } from "./audit-line.js";

test.each([
  ["words", "lost task_id=task-2"],
  ["a quotation mark", 'x"task_id=task-2'],
  ["a separator", "x;task_id=task-2"],
])("what an operator wrote is not read as another member of the event: %s", (_, written) => {
  const event: AuditEvent = {
    sequence: 7,
    at: "2026-01-01T00:00:00Z",
    action: "agent_revoked",
    actor: "admin:token-1",
    actorName: written,
    agentRuntimeId: "agent-1",
    reason: written,
  };
  const line = auditLine(event);
  const text = JSON.stringify(written);
  expect(line).toBe(
    `7 2026-01-01T00:00:00Z agent_revoked actor=admin:token-1 actor_name=${text} agent_runtime_id=agent-1 reason=${text}`,
  );
  expect(findTermsOf(line)).toEqual([{ texts: ["agent-1"], among: "everything" }]);
});
