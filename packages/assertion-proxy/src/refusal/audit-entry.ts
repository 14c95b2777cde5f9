import type { Code } from "@countersign/agent-key";
import { hideCredentials } from "@countersign/agent-key/redaction";

/** What is known of the one who sent a request, once its signature held. Never holds a claim. */
export interface AuditIdentity {
  readonly agent_runtime_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly account_id?: string | undefined;
}

/** One request that ended: answered, refused or broken off. Holds no header, no query and no secret; fit for one JSON line. */
export interface AuditEntry extends AuditIdentity {
  /** When the request's head had arrived, RFC 3339 with milliseconds, UTC. */
  readonly time: string;
  /** The request's method; empty where what arrived was no request. */
  readonly method: string;
  /**
   * The path as received, without the query, credentials hidden, cut at 2,048 characters; empty where the target was no path, or its path
   * contains the client token.
   */
  readonly path: string;
  /** The status that the client was answered with; 499 when its connection ended before there was one. */
  readonly status: number;
  /** Milliseconds from the head of the request to the last byte of its answer. */
  readonly ms: number;
  /** Why it was refused or broken off. Absent when it went through. */
  readonly code?: Code | undefined;
}

/** Takes one entry for every request, refused ones too. Called in the order in which requests end; what it throws becomes a process warning. */
export type Audit = (entry: AuditEntry) => void;

/** The status of an entry whose client went away unanswered, as HTTP servers commonly log it. */
export const CLIENT_GONE_STATUS = 499;

const PATH_LENGTH = 2_048;

/** What a request was, before it is known how it ends. */
export interface AuditStart {
  readonly startedAt: number;
  readonly method: string;
  /** The request target as received. */
  readonly url: string;
}

/** How a request ended. */
export interface AuditEnd {
  readonly endedAt: number;
  readonly status: number;
  readonly code: Code | undefined;
  readonly identity: AuditIdentity | undefined;
}

/** Where the entries of a proxy go. */
export interface AuditTarget {
  readonly audit: Audit | undefined;
  /** Whether a path contains a secret, and is therefore not kept. Absent: no path does. */
  readonly isSecret?: ((text: string) => boolean) | undefined;
}

/** Writes the entry of a request that ended. An audit that throws never touches the request. */
export function writeAudit(target: AuditTarget, start: AuditStart, end: AuditEnd): void {
  const { audit, isSecret } = target;
  if (audit === undefined) return;
  const { agent_runtime_id, task_id, account_id } = end.identity ?? {};
  try {
    audit({
      time: new Date(start.startedAt).toISOString(),
      method: start.method,
      path: pathOf(start.url, isSecret),
      status: end.status,
      ms: Math.max(0, Math.round(end.endedAt - start.startedAt)),
      ...(end.code === undefined ? {} : { code: end.code }),
      ...(agent_runtime_id === undefined ? {} : { agent_runtime_id }),
      ...(task_id === undefined ? {} : { task_id }),
      ...(account_id === undefined ? {} : { account_id }),
    });
  } catch (error) {
    process.emitWarning(`an audit entry was lost: ${error}`, "CountersignWarning");
  }
}

// Only an origin-form's path is kept, since other forms may hold a user name and password.
function pathOf(url: string, isSecret: ((text: string) => boolean) | undefined): string {
  const path = url.startsWith("/") || url === "*" ? (url.split(/[?#]/, 1)[0] ?? "") : "";
  if (isSecret?.(path) === true) return "";
  // Hidden before the cut, so that no credential is left in half.
  return hideCredentials(path).slice(0, PATH_LENGTH);
}
