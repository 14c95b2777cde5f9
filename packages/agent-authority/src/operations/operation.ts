import type { Code } from "@countersign/agent-key";
import type { z } from "zod";
import type { AuditedRequest } from "../schema/audit-actions.js";

/** What a request may be allowed by. */
export type Credential = "human" | "biscuit" | "assertion" | "resource_server" | "read" | "operate";

/** A refusal of one operation: its code, with the status of the protocol's table unless another is given. */
export type DocumentedRefusal = Code | { readonly code: Code; readonly status: number };

/**
 * Which requests of an operation are refused once their address has used up its limit.
 *
 * - `all_requests`: every one, before anything of it is looked at. For what takes a human's credential or an agent's signature: a right guess
 *   must get the same answer as a wrong one.
 * - `refused_requests`: only one that fails by itself. For what resource servers and operators ask: a stranger who shares their address must
 *   not be able to take it from them.
 */
export type AddressLimit = "all_requests" | "refused_requests";

/**
 * One request that a listener answers. Its route, its part of the OpenAPI document, its path in logs, traces and figures, and the request that
 * our own client sends are derived from this.
 */
export interface Operation {
  readonly method: "get" | "post";
  /** With parameters as `{name}`. */
  readonly path: string;
  readonly summary: string;
  /** Any one of them is enough. Absent: none is looked at. */
  readonly credentials?: readonly Credential[] | undefined;
  /** It is also answered without a credential. */
  readonly isOpen?: boolean | undefined;
  /** Header fields of the request, each a member, in lower case. */
  readonly headers?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: z.ZodType | undefined;
  readonly answer: {
    readonly description: string;
    readonly schema: z.ZodType;
    /** Header fields besides those of every answer. */
    readonly headers?: z.ZodObject | undefined;
    /** Whether a client that has the answer already may get 304. */
    readonly isConditional?: boolean | undefined;
  };
  /** Besides those that any request may get. */
  readonly refusals?: readonly DocumentedRefusal[] | undefined;
  /** What the audit log calls a refused request of this operation; `undefined`: its refusals are in the request log alone. */
  readonly audited: AuditedRequest | undefined;
  readonly addressLimit: AddressLimit;
  /** What is registered by a request that is answered 200, for the figures. */
  readonly registers?: "agent" | "task" | undefined;
}

/** Operations by their ids, which are unique in a document. */
export type Operations = Readonly<Record<string, Operation>>;
