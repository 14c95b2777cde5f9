import { setTimeout as sleep } from "node:timers/promises";
import { LONGEST_TIMER_MS, numberIn } from "@countersign/agent-key";
import type { AuditEvent, AuditFilter } from "../operations/audit-types.js";
import type { Registry } from "../operations/registry-types.js";
import { checkRequested } from "../option-checks.js";

const PAGE = 1_000;
const DEFAULT_POLL_MS = 1_000;
const POLL_MS = numberIn(1, LONGEST_TIMER_MS);

/** Options of {@link followAuditEvents}. */
export interface FollowAuditEventsOptions
  extends Omit<AuditFilter, "after" | "before" | "until" | "limit" | "last"> {
  /** Only events with a greater `sequence`. Default 0: from the first one on. */
  readonly after?: number | undefined;
  /** Milliseconds between two looks where nothing is new. From 1, default 1,000. */
  readonly pollMs?: number | undefined;
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Yields the events of the audit log one by one, oldest first, and waits for new ones until `signal` is aborted. It skips no event and yields
 * none twice, whichever processes write them.
 *
 * @throws {AgentAuthorityError} `invalid_request` if `pollMs` is out of its range
 * @throws what {@link Registry.listAuditEvents} does; to go on after an error, start again with `after` set to the last `sequence` seen
 */
export async function* followAuditEvents(
  registry: Pick<Registry, "listAuditEvents">,
  options: FollowAuditEventsOptions = {},
): AsyncGenerator<AuditEvent, void, undefined> {
  const { after = 0, pollMs = DEFAULT_POLL_MS, signal, ...filter } = options;
  checkRequested("pollMs", pollMs, POLL_MS);
  let seen = after;
  while (!signal?.aborted) {
    // Before the events that are asked for: up to this one all are looked at, also where none of them is.
    const [newest] = await registry.listAuditEvents({ after: seen, last: 1 });
    if (newest === undefined) {
      await pause(pollMs, signal);
      continue;
    }
    let events: AuditEvent[];
    do {
      events = await registry.listAuditEvents({ ...filter, after: seen, limit: PAGE });
      for (const event of events) {
        if (signal?.aborted) return;
        yield event;
        seen = event.sequence;
      }
    } while (events.length === PAGE);
    seen = Math.max(seen, newest.sequence);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    // Told to stop: the loop sees it.
    if (!signal?.aborted) throw error;
  }
}
