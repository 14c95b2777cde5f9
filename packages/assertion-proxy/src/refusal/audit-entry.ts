import type { Code } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import { hideCredentials } from "@countersign/agent-key/redaction";

/** What is known of the one who sent a request, once its signature held. Never holds a claim. */
export interface AuditIdentity {
  readonly agent_runtime_id?: string | undefined;
  readonly task_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly account_id?: string | undefined;
}

/**
 * One request that ended: answered, refused or broken off. Holds no query and no secret, and of the fields of a request the named ones alone;
 * fit for one JSON line.
 */
export interface AuditEntry extends AuditIdentity {
  /** When the request's head had arrived, RFC 3339 with milliseconds, UTC. */
  readonly time: string;
  /**
   * The id of the request: its `X-Request-Id` if that has 1 to 128 letters, digits and `_.:~+/=@-` and looks like no credential, otherwise one
   * that the proxy made. The upstream, the directory and the client are told the same.
   */
  readonly request_id: string;
  /**
   * The address of the client, as a trusted proxy named it, otherwise the other end of the connection. Absent on a Unix socket, and if the
   * connection was gone at once.
   */
  readonly address?: string | undefined;
  /** The request's method; empty where what arrived was no request. */
  readonly method: string;
  /**
   * The path as received, without the query, credentials hidden, cut at 2,048 characters; empty where the target was no path, or its path
   * contains the client token.
   */
  readonly path: string;
  /** The status that the client was answered with; 499 when its connection ended before there was one. */
  readonly status: number;
  /** The status of the upstream's last answer, for instance a 401 that the client got as 502. Absent if there was no answer. */
  readonly upstream_status?: number | undefined;
  /**
   * The `X-Request-Id` of that answer, if it is another one than the request's. The client got this one, unless the proxy refused the answer, as
   * with `upstream_refused`: then it got the request's.
   */
  readonly upstream_request_id?: string | undefined;
  /** Milliseconds from the head of the request to the last byte of its answer. */
  readonly ms: number;
  /** Bytes that were read of the request's body; of a WebSocket, all that the client sent. */
  readonly bytes_in: number;
  /** Bytes of the answer's body, the proxy's own refusal included; of a WebSocket, all that the upstream sent. */
  readonly bytes_out: number;
  /** Why it was refused or broken off. Absent when it went through. */
  readonly code?: Code | undefined;
  /** The `User-Agent`, credentials hidden, what is not printed escaped, cut at 256 characters. Said by the client, and proven by nothing. */
  readonly user_agent?: string | undefined;
  /** The `traceparent` of the proxy's own span if it makes spans, otherwise that of the request if it is one (W3C Trace Context). */
  readonly traceparent?: string | undefined;
}

/** Takes one entry for every request, refused ones too. Called in the order in which requests end; what it throws becomes a process warning. */
export type Audit = (entry: AuditEntry) => void;

/** The status of an entry whose client went away unanswered, as HTTP servers commonly log it. */
export const CLIENT_GONE_STATUS = 499;

const PATH_LENGTH = 2_048;
const USER_AGENT_LENGTH = 256;
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** What a request is called, and where it comes from. */
export interface RequestOrigin {
  /** The client's own, if it can be taken; otherwise one that was made here. */
  readonly requestId: string;
  /** The client's address. `undefined` if it is not known, as on a Unix socket. */
  readonly address: string | undefined;
  /** As received. */
  readonly userAgent: string | undefined;
  /** As received. */
  readonly traceparent: string | undefined;
}

/** What a request was, before it is known how it ends. */
export interface AuditStart {
  readonly startedAt: number;
  readonly method: string;
  /** The request target as received. */
  readonly url: string;
  readonly origin: RequestOrigin;
}

/** How a request ended. */
export interface AuditEnd {
  readonly endedAt: number;
  readonly status: number;
  readonly code: Code | undefined;
  readonly identity: AuditIdentity | undefined;
  readonly upstream?: UpstreamAnswered | undefined;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of the proxy's own span. */
  readonly traceparent?: string | undefined;
}

/** What is known of an upstream's answer. */
export interface UpstreamAnswered {
  readonly status: number;
  /** Its own id of the request, if it can be taken. */
  readonly requestId: string | undefined;
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
  const { origin } = start;
  const { upstream, identity } = end;
  const upstreamId = upstream?.requestId;
  try {
    audit(
      present({
        time: new Date(start.startedAt).toISOString(),
        request_id: origin.requestId,
        address: origin.address,
        method: start.method,
        path: auditedPath(start.url, isSecret),
        status: end.status,
        upstream_status: upstream?.status,
        upstream_request_id: upstreamId === origin.requestId ? undefined : upstreamId,
        ms: Math.max(0, Math.round(end.endedAt - start.startedAt)),
        bytes_in: end.bytesIn,
        bytes_out: end.bytesOut,
        code: end.code,
        agent_runtime_id: identity?.agent_runtime_id,
        task_id: identity?.task_id,
        user_id: identity?.user_id,
        account_id: identity?.account_id,
        user_agent: auditedUserAgent(origin.userAgent),
        traceparent: end.traceparent ?? auditedTraceparent(origin.traceparent),
      }),
    );
  } catch (error) {
    process.emitWarning(`an audit entry was lost: ${error}`, "CountersignWarning");
  }
}

/** Returns the path of a request target as {@link AuditEntry} has it. */
export function auditedPath(
  url: string,
  isSecret: ((text: string) => boolean) | undefined,
): string {
  // Only an origin-form's path is kept, since other forms may hold a user name and password.
  const path = url.startsWith("/") || url === "*" ? (url.split(/[?#]/, 1)[0] ?? "") : "";
  if (isSecret?.(path) === true) return "";
  // Hidden before the cut, so that no credential is left in half.
  return hideCredentials(path).slice(0, PATH_LENGTH);
}

// Hidden before the cut, as in a path.
function auditedUserAgent(userAgent: string | undefined): string | undefined {
  return userAgent && escapeText(hideCredentials(userAgent)).slice(0, USER_AGENT_LENGTH);
}

function auditedTraceparent(traceparent: string | undefined): string | undefined {
  return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined;
}

function present(entry: AuditEntry): AuditEntry {
  return Object.fromEntries(
    Object.entries(entry).filter(([, value]) => value !== undefined),
  ) as unknown as AuditEntry;
}
