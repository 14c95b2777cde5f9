import { networkOf } from "@countersign/agent-assertion/client-address";
import type { LimitKind } from "./rate-limits.js";

/** What requests are counted by. */
export interface LimitSubject {
  readonly kind: LimitKind;
  /** In the table. */
  readonly name: string;
}

/** Counts the credentials of an address that are looked at; IPv6 by /64, of which one machine has all addresses to itself. */
export function addressSubject(address: string | undefined): LimitSubject {
  return { kind: "address", name: `address:${networkOf(address ?? "unknown")}` };
}

/** Counts by the user of an account, once its credential held. */
export function userSubject(accountId: string, userId: string): LimitSubject {
  return { kind: "user", name: `user:${JSON.stringify([accountId, userId])}` };
}

/** Counts by agent, once its signature held. */
export function agentSubject(agentRuntimeId: string): LimitSubject {
  return { kind: "agent", name: `agent:${agentRuntimeId}` };
}

/** Counts what is refused to a user or an agent, or to an address as long as the caller has proved nothing. */
export function refusalsOf({ name }: LimitSubject): LimitSubject {
  return { kind: "refusals", name: `refusals:${name}` };
}
