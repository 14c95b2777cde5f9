import { type Code, isServerId } from "@countersign/agent-key";
import { hideCredentials } from "@countersign/agent-key/redaction";
import type { Selectable } from "kysely";
import type { AuditAction, AuditedChange, AuditedRequest } from "../schema/audit-actions.js";
import type { Rows } from "../store/authority-store.js";
import type { AuditEventRow } from "../store/database.js";
import { prepareQuery } from "../store/prepared-query.js";
import type { AuditStamp } from "./audit-stamp.js";

const MAX_ID_LENGTH = 256;

const insertRow = prepareQuery((rows, value: Omit<Selectable<AuditEventRow>, "sequence">) =>
  rows.insertInto("audit_events").values({
    at: value.at,
    action: value.action,
    account_id: value.account_id,
    user_id: value.user_id,
    agent_runtime_id: value.agent_runtime_id,
    task_id: value.task_id,
    access_token_id: value.access_token_id,
    actor: value.actor,
    actor_name: value.actor_name,
    address: value.address,
    request_id: value.request_id,
    code: value.code,
    claimed_agent_runtime_id: value.claimed_agent_runtime_id,
    reason: value.reason,
  }),
);

/** Who and what an audit event is about, by the names of the columns. */
export interface AuditSubject {
  readonly account_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly agent_runtime_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly access_token_id?: string | undefined;
}

/** A request that was refused. */
export interface AuditedRefusal {
  readonly action: AuditedRequest;
  readonly code: Code;
  /** What was known about the caller; nothing unless a credential or signature was valid. */
  readonly subject: AuditSubject;
  /** The agent that the request named, which may be anything. */
  readonly claimedAgentRuntimeId: string | undefined;
}

/** Appends an event, in the transaction of the change that it records. */
export function appendAuditEvent(
  rows: Rows,
  stamp: AuditStamp,
  action: AuditedChange,
  subject: AuditSubject,
): Promise<void> {
  return insertEvent(rows, stamp, action, subject);
}

/** Appends the event of a refusal. */
export function appendRefusal(
  rows: Rows,
  stamp: AuditStamp,
  { action, code, subject, claimedAgentRuntimeId: claimed }: AuditedRefusal,
): Promise<void> {
  const isClaim = claimed !== subject.agent_runtime_id && isServerId(claimed);
  return insertEvent(rows, stamp, action, subject, {
    code,
    // Hiding may make a text longer than an id is.
    claimed_agent_runtime_id: isClaim ? hideCredentials(claimed).slice(0, MAX_ID_LENGTH) : null,
  });
}

async function insertEvent(
  rows: Rows,
  { text, origin, reason }: AuditStamp,
  action: AuditAction,
  subject: AuditSubject,
  refusal: { code: Code | null; claimed_agent_runtime_id: string | null } = {
    code: null,
    claimed_agent_runtime_id: null,
  },
): Promise<void> {
  await insertRow(rows, {
    at: text,
    action,
    account_id: subject.account_id ?? null,
    user_id: subject.user_id ?? null,
    agent_runtime_id: subject.agent_runtime_id ?? null,
    task_id: subject.task_id ?? null,
    access_token_id: subject.access_token_id ?? null,
    actor: origin.actor ?? null,
    actor_name: origin.actorName ?? null,
    address: origin.address ?? null,
    request_id: origin.requestId ?? null,
    reason: reason ?? null,
    ...refusal,
  });
}
