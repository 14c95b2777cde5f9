import type { AuditEvent, AuditFilter } from "../registry/audit-types.js";
import { checkLimit } from "../registry/list-page.js";

/** Entries of one answer: what a client reads of one answer, 1 MiB, holds as many of the largest. */
const PAGE = 200;

/** What is asked for of a list. */
export interface PageQuestion {
  readonly limit: number;
  readonly after: string | undefined;
}

/** Reads so many entries of a list, page by page. The default is the registry's own. Throws `invalid_request` for a limit that is none. */
export async function readPages<Info>(
  limit: number | undefined,
  after: string | undefined,
  read: (
    page: PageQuestion,
  ) => Promise<{ readonly entries: readonly Info[]; readonly next: string | undefined }>,
): Promise<Info[]> {
  const count = checkLimit(limit);
  const found: Info[] = [];
  let next = after;
  do {
    const page = await read({ limit: Math.min(PAGE, count - found.length), after: next });
    found.push(...page.entries);
    // A server that gives the same page for ever gets no more questions than there are entries to ask for.
    next = page.entries.length === 0 ? undefined : page.next;
  } while (next !== undefined && found.length < count);
  return found.slice(0, count);
}

/** Reads so many audit events, the oldest or the newest ones. */
export async function readEvents(
  { after = 0, limit, last }: AuditFilter,
  read: (page: AuditFilter) => Promise<readonly AuditEvent[]>,
): Promise<AuditEvent[]> {
  // The newest are not read page by page: while they are, there come newer ones.
  if (last !== undefined) return [...(await read({ after, last, limit }))];
  const count = checkLimit(limit);
  const found: AuditEvent[] = [];
  let seen = after;
  while (found.length < count) {
    const wanted = Math.min(PAGE, count - found.length);
    const events = await read({ after: seen, limit: wanted });
    found.push(...events);
    seen = events.at(-1)?.sequence ?? seen;
    if (events.length < wanted) break;
  }
  return found;
}
