import { numberIn } from "@countersign/agent-key";
import { checkRequested } from "../option-checks.js";
import type { AuditEventEntry } from "../schema/registry-entries.js";
import type { AuditFilter } from "./audit-types.js";

const DEFAULT_LIMIT = 1_000;
/** The most entries that one call of the registry gives. */
export const MAX_LIMIT = 10_000;

/** What is asked for of a list. */
export interface PageQuestion {
  readonly limit: number;
  readonly after?: string;
}

/** Which entries of a list are read, and how many of them by one question. */
export interface PagesOptions {
  readonly limit: number | undefined;
  readonly after: string | undefined;
  readonly pageSize: number;
}

/** Reads so many entries of a list, page by page. Throws `invalid_request` for a limit that is out of range. */
export async function readPages<Entry>(
  { limit, after, pageSize }: PagesOptions,
  read: (
    page: PageQuestion,
  ) => Promise<{ readonly entries: readonly Entry[]; readonly next: string | undefined }>,
): Promise<Entry[]> {
  const count = checkLimit(limit);
  const found: Entry[] = [];
  let next = after;
  do {
    const page = await read({
      limit: Math.min(pageSize, count - found.length),
      ...(next === undefined ? {} : { after: next }),
    });
    found.push(...page.entries);
    // A server that gives the same page for ever gets no more questions than there are entries to ask for.
    next = page.entries.length === 0 ? undefined : page.next;
  } while (next !== undefined && found.length < count);
  return found.slice(0, count);
}

/** Reads so many audit events, the oldest or the newest ones. */
export async function readEvents(
  { after = 0, limit, last, pageSize }: AuditFilter & Pick<PagesOptions, "pageSize">,
  read: (
    page: { readonly after: number } & Pick<AuditFilter, "limit" | "last">,
  ) => Promise<readonly AuditEventEntry[]>,
): Promise<AuditEventEntry[]> {
  // The newest are not read page by page: newer ones come while they are.
  if (last !== undefined) return [...(await read({ after, last, limit }))];
  const count = checkLimit(limit);
  const found: AuditEventEntry[] = [];
  let seen = after;
  while (found.length < count) {
    const wanted = Math.min(pageSize, count - found.length);
    const events = await read({ after: seen, limit: wanted });
    found.push(...events);
    seen = events.at(-1)?.sequence ?? seen;
    if (events.length < wanted) break;
  }
  return found;
}

/** Checks how many entries are asked for. Throws `invalid_request`. */
export function checkLimit(limit: number = DEFAULT_LIMIT): number {
  checkRequested("limit", limit, numberIn(1, MAX_LIMIT));
  return limit;
}
