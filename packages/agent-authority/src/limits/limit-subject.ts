import { isIP } from "node:net";
import type { LimitKind } from "./rate-limits.js";

/** What requests are counted by. */
export interface LimitSubject {
  readonly kind: LimitKind;
  /** In the table. */
  readonly name: string;
}

const GROUPS = 8;
const NETWORK_GROUPS = 4;

/** Counts by address; IPv6 by /64, of which one machine has all addresses to itself. */
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

// Takes the normalised form: no dotted quad at its end but in addresses that are IPv4.
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(Math.max(0, GROUPS - before.length - after.length)).fill("0");
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${groups.slice(0, NETWORK_GROUPS).join(":")}::/64`;
}
