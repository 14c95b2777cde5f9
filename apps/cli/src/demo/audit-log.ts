import type { AuditEntry } from "@countersign/assertion-proxy";

/** The gateway's audit, to be waited for: an entry is written when its request has ended, a moment after the client saw the answer. */
export interface AuditLog {
  append(entry: AuditEntry): void;
  /** Waits for all entries from this number on (from 0) up to the given count, and gives them. */
  entries(from: number, count: number): Promise<readonly AuditEntry[]>;
  /** The number of entries so far. */
  count(): number;
}

/** Makes an empty {@link AuditLog}. */
export function createAuditLog(): AuditLog {
  const entries: AuditEntry[] = [];
  const waiting = new Set<() => void>();
  return {
    append(entry) {
      entries.push(entry);
      for (const wake of waiting) wake();
      waiting.clear();
    },
    async entries(from, count) {
      while (entries.length < from + count) {
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
        });
      }
      return entries.slice(from, from + count);
    },
    count: () => entries.length,
  };
}
