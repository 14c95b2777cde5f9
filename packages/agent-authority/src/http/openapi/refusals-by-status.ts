import { statusOf } from "@countersign/agent-assertion";
import type { Code } from "@countersign/agent-key";
import type { DocumentedRefusal, Operation } from "../../operations/operation.js";
import { parametersOf } from "../../operations/operation-path.js";

// An identity JWT that is sent as a token is refused with `unauthenticated` everywhere, and counted. That check uses the database.
const OF_ANY_REQUEST: readonly DocumentedRefusal[] = [
  "invalid_request",
  "unauthenticated",
  ...[408, 417, 431].map((status) => ({ code: "invalid_request" as const, status })),
  "rate_limited",
  { code: "server_error", status: 500 },
  "server_error",
];

/** What a request may be refused with by its form, before its operation looks at it. */
function refusalsByForm({ method, path, isAnsweredUnread = false }: Operation) {
  const statuses = [
    ...(method === "post" && !isAnsweredUnread ? [413, 415] : []),
    ...(parametersOf(path).length > 0 ? [414] : []),
  ];
  return statuses.map((status) => ({ code: "invalid_request" as const, status }));
}

/** The codes of an operation's refusals by their status. */
export function refusalsByStatus(operation: Operation): ReadonlyMap<number, readonly Code[]> {
  return byStatusOf([
    ...OF_ANY_REQUEST,
    ...refusalsByForm(operation),
    ...(operation.refusals ?? []),
  ]);
}

/** The codes of the refusals by their status that no operation gives by itself. */
export function commonRefusals(): ReadonlyMap<number, readonly Code[]> {
  return byStatusOf([
    ...OF_ANY_REQUEST,
    ...[413, 414, 415].map((status) => ({ code: "invalid_request" as const, status })),
  ]);
}

function byStatusOf(refusals: readonly DocumentedRefusal[]): ReadonlyMap<number, readonly Code[]> {
  const byStatus = new Map<number, Code[]>();
  for (const refusal of refusals) {
    const { code, status } =
      typeof refusal === "string" ? { code: refusal, status: statusOf(refusal) } : refusal;
    const codes = byStatus.get(status) ?? [];
    if (!codes.includes(code)) byStatus.set(status, [...codes, code]);
  }
  return new Map([...byStatus].sort(([a], [b]) => a - b));
}
