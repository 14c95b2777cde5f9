import { statusOf } from "@countersign/agent-assertion";
import type { Code } from "@countersign/agent-key";
import type { z } from "zod";

/** What a request may be allowed by. */
export type Credential = "human" | "biscuit" | "assertion" | "resource_server" | "read" | "operate";

/** A refusal of one operation: its code, with the status of the protocol's table unless another is given. */
export type DocumentedRefusal = Code | { readonly code: Code; readonly status: number };

/** One request that a listener answers, as its document tells of it. */
export interface Operation {
  /** Names it; unique in a document. */
  readonly id: string;
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
  /** Besides {@link COMMON_REFUSALS}. */
  readonly refusals?: readonly DocumentedRefusal[] | undefined;
}

/** What any request may be refused with, whatever it is for. */
export const COMMON_REFUSALS: readonly DocumentedRefusal[] = [
  "invalid_request",
  "unauthenticated",
  ...[404, 408, 413, 414, 415, 417, 431].map((status) => ({
    code: "invalid_request" as const,
    status,
  })),
  "rate_limited",
  { code: "server_error", status: 500 },
  "server_error",
];

/** The codes of an operation's refusals by their status. */
export function refusalsByStatus(operation: Operation): ReadonlyMap<number, readonly Code[]> {
  const byStatus = new Map<number, Code[]>();
  for (const refusal of [...COMMON_REFUSALS, ...(operation.refusals ?? [])]) {
    const { code, status } =
      typeof refusal === "string" ? { code: refusal, status: statusOf(refusal) } : refusal;
    const codes = byStatus.get(status) ?? [];
    if (!codes.includes(code)) byStatus.set(status, [...codes, code]);
  }
  return new Map([...byStatus].sort(([a], [b]) => a - b));
}
