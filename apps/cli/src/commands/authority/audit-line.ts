import type { AuditEvent } from "@countersign/agent-authority";
import { escapeText } from "@countersign/agent-key/escaping";
import { hideCredentials } from "@countersign/agent-key/redaction";
import { toRow } from "../../session/registry-commands.js";
import type { Row } from "../../session/registry-session.js";

// What each event has, which stands at the beginning of its line.
const UNNAMED: ReadonlySet<string> = new Set(["sequence", "at", "action"]);

// What operators wrote: it is not to be read as other members.
const WORDS: ReadonlySet<string> = new Set(["actor_name", "reason"]);

/** An event of the audit log by the names of the wire. */
export function auditRow(event: AuditEvent): Row {
  const { claimedAgentRuntimeId, requestId } = event;
  return toRow({
    ...event,
    requestId: hidden(requestId),
    claimedAgentRuntimeId: hidden(claimedAgentRuntimeId),
  });
}

/** An event of the audit log as one line. */
export function auditLine(event: AuditEvent): string {
  return Object.entries(auditRow(event))
    .flatMap(([name, value]) => toWord(name, value))
    .join(" ");
}

function toWord(name: string, value: Row[string]): string[] {
  if (value === undefined) return [];
  const isQuoted = WORDS.has(name) || /[\s"]/.test(`${value}`);
  const text = escapeText(isQuoted ? JSON.stringify(value) : `${value}`);
  return [UNNAMED.has(name) ? text : `${name}=${text}`];
}

// The authority writes these two without credentials; an earlier one may have written them as they were sent.
function hidden(text: string | undefined): string | undefined {
  return text === undefined ? undefined : hideCredentials(text);
}
