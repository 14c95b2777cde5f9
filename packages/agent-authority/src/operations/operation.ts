import type { Code } from "@countersign/agent-key";
import type { GenericSchema } from "valibot";
import type { z } from "zod";
import type { AuditedRequest } from "../schema/audit-actions.js";
import type { OperatorRole } from "../schema/roles-and-states.js";

/** What a request may be allowed by. */
export type Credential = "human" | "biscuit" | "assertion" | "resource_server" | OperatorRole;

/** The form of a body: in the packages of the protocol written with valibot, which is small in clients, and here with zod. */
export type BodySchema = z.ZodType | GenericSchema;

/** A refusal of one operation: its code, with the status of the protocol's table unless another is given. */
export type DocumentedRefusal =
  | Code
  | {
      readonly code: Code;
      readonly status: number;
      /** Header fields besides those of every refusal. */
      readonly headers?: z.ZodObject | undefined;
    };

/**
 * Which requests of an operation are refused once their address has used up its limits.
 *
 * - `all_requests`: every one of a caller that is not known, before anything of it is looked at, as soon as `addressPerMinute` is used up too. For
 *   what takes a human's credential or an agent's signature: to look at it is work, and many looks are guesses.
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
  /** One line. */
  readonly summary: string;
  /** What a client must know besides: what is checked, what a repetition does, and the section of the protocol. */
  readonly description: string;
  /** Any one of them is enough. Absent: none is looked at. */
  readonly credentials?: readonly Credential[] | undefined;
  /** It is also answered without a credential. */
  readonly isOpen?: boolean | undefined;
  /** Header fields of the request, each a member, in lower case. */
  readonly headers?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: BodySchema | undefined;
  /** Whether a request without a body is as one with an empty object. */
  readonly isBodyOptional?: true | undefined;
  readonly answer: {
    readonly description: string;
    readonly schema: BodySchema;
    /** Header fields besides those of every answer. */
    readonly headers?: z.ZodObject | undefined;
    /** Whether a client that has the answer already may get 304. */
    readonly isConditional?: boolean | undefined;
  };
  /** Besides those that any request of this form may get. */
  readonly refusals?: readonly DocumentedRefusal[] | undefined;
  /** What the audit log calls a refused request of this operation; `undefined`: its refusals are in the request log alone. */
  readonly audited: AuditedRequest | undefined;
  readonly addressLimit: AddressLimit;
  /** Whose limit an answered request is counted by. The answer then shows that quota. */
  readonly countedBy?: "user" | "agent" | undefined;
  /** What is registered by a request that is answered 200, for the figures. */
  readonly registers?: "agent" | "task" | undefined;
  /** Whether it is answered before the body of the request is looked at. */
  readonly isAnsweredUnread?: boolean | undefined;
}

/** Operations by their ids, which are unique in a document. */
export type Operations = Readonly<Record<string, Operation>>;
