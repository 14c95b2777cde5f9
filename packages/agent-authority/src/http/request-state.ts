import type { IncomingMessage } from "node:http";
import type { Code } from "@countersign/agent-key";
import type { FastifyRequest } from "fastify";
import type { Quota } from "../limits/quota.js";
import type { RequestTrace } from "../observe/trace-request.js";
import type { AuditSubject } from "../registry/audit.js";
import { type AuditStamp, stampOf } from "../registry/audit-stamp.js";
import type { AuthorityContext } from "./authority-context.js";
import type { RequestOrigin } from "./request-origin.js";

/** What is found out about one request while it is answered. */
export interface RequestState {
  readonly origin: RequestOrigin;
  /** The pattern of the route that was found for it. */
  route?: string | undefined;
  /** What was registered if it is answered 200. */
  registers?: "agent" | "task" | undefined;
  /** The bytes of its body, beside what they were parsed to: a digest is over bytes. */
  body?: Uint8Array;
  /** Whose credential or signature it came with, once that held: if the request is refused, the audit log says so. */
  asker?: {
    readonly actor: string;
    readonly actorName?: string | undefined;
    readonly subject: AuditSubject;
  };
  /** The remaining quotas of the limits that counted it. */
  quotas: readonly Quota[];
  /** Names of what it claims to be from, before that is proved. */
  claims: readonly string[];
  /** The code that it was refused with. */
  refusalCode?: Code;
  trace?: RequestTrace | undefined;
}

const states = new WeakMap<IncomingMessage, RequestState>();

/** Creates the state of a request. */
export function beginRequest(request: IncomingMessage, origin: RequestOrigin): RequestState {
  const state: RequestState = { origin, quotas: [], claims: [] };
  states.set(request, state);
  return state;
}

/** Returns the state of a request. */
export function stateOf(request: IncomingMessage): RequestState {
  const state = states.get(request);
  if (state === undefined) throw new TypeError("the request was not begun");
  return state;
}

/** Returns when and from where a request came. Its actor is not known yet. */
export function requestStamp(
  { now }: Pick<AuthorityContext, "now">,
  { raw }: FastifyRequest,
): AuditStamp {
  return stampOf(now, stateOf(raw).origin);
}
