import { statusOf } from "@countersign/agent-assertion";
import type { Code } from "@countersign/agent-key";
import type { DocumentedRefusal, Operation } from "../../operations/operation.js";

/** What any request may be refused with, whatever it is for. */
const COMMON_REFUSALS: readonly DocumentedRefusal[] = [
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
