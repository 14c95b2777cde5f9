import type { Rows } from "../store/authority-store.js";
import type { AuditAction } from "./audit-types.js";
import type { Occasion } from "./occasion.js";

/** Who and what an audit event is about, by the names of the columns. */
export interface AuditSubject {
  readonly account_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly agent_runtime_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly access_token_id?: string | undefined;
}

/** Appends an event, in the transaction of the change it tells of. */
export async function appendAuditEvent(
  rows: Rows,
  { text, origin }: Occasion,
  action: AuditAction,
  subject: AuditSubject,
): Promise<void> {
  await rows
    .insertInto("audit_events")
    .values({
      at: text,
      action,
      account_id: subject.account_id ?? null,
      user_id: subject.user_id ?? null,
      agent_runtime_id: subject.agent_runtime_id ?? null,
      task_id: subject.task_id ?? null,
      access_token_id: subject.access_token_id ?? null,
      code: null,
      actor: origin.actor ?? null,
      address: origin.address ?? null,
      claimed_agent_runtime_id: null,
      request_id: origin.requestId ?? null,
    })
    .execute();
}
