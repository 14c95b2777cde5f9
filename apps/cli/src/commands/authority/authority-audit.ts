import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent, AuditFilter, Registry } from "@countersign/agent-authority";
import { CountersignError } from "@countersign/agent-key";
import { isCode } from "@countersign/agent-key/codes";
import type { Run } from "../../config/run.js";
import { parseCount } from "../../session/registry-commands.js";
import { noteNothing, type RegistryOptions, withRegistry } from "../../session/registry-session.js";
import { usageError } from "../../text/cli-error.js";
import { parseInstant } from "../../text/instant.js";
import { auditLine, auditRow } from "./audit-line.js";

/** Options of `authority audit tail`. */
export interface TailAuditOptions extends RegistryOptions {
  readonly follow?: boolean;
  readonly reverse?: boolean;
  readonly after?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly action?: AuditEvent["action"];
  readonly code?: AuditEvent["code"];
  readonly refused?: boolean;
  readonly account?: string;
  readonly user?: string;
  readonly agent?: string;
  readonly task?: string;
  readonly address?: string;
  readonly actor?: string;
  readonly request?: string;
}

const DEFAULT_EVENTS = 20;
const PART = 1_000;
const RETRY_MS = 1_000;

/**
 * `authority audit tail`: the newest events, or those after one or of a time; with `--follow` also what comes, until SIGINT or SIGTERM. One
 * line for each.
 */
export async function tailAudit(run: Run, options: TailAuditOptions): Promise<void> {
  const { follow = false, reverse = false } = options;
  const after = parseSequence(options.after);
  const limit = parseCount(options.limit, "--limit");
  const filter = await filterOf(options);
  const isFromStart = after !== undefined || filter.since !== undefined;
  if (follow && isFromStart && limit !== undefined) {
    throw usageError("--follow with --after or --since takes no --limit", "leave one of them out");
  }
  if (follow && (reverse || filter.until !== undefined)) {
    throw usageError("--follow takes neither --reverse nor --until", "leave one of them out");
  }
  const wanted =
    limit ??
    (isFromStart || filter.until !== undefined ? Number.POSITIVE_INFINITY : DEFAULT_EVENTS);
  await withRegistry(run, options, async (registry, where) => {
    let printed = 0;
    const show = (event: AuditEvent): void => {
      print(run, event);
      printed += 1;
    };
    if (follow) {
      const seen = isFromStart ? (after ?? 0) : await printNewest(show, registry, filter, wanted);
      await printAsTheyCome(run, registry, filter, seen);
    } else if (reverse) {
      for await (const event of newestFirst(registry, { ...filter, after }, wanted)) show(event);
    } else if (after !== undefined || wanted === Number.POSITIVE_INFINITY) {
      await printAfter(show, registry, filter, after ?? 0, wanted);
    } else {
      await printNewest(show, registry, filter, wanted);
    }
    if (printed === 0 && !follow) noteNothing(run, "event", where);
  });
}

async function filterOf(options: TailAuditOptions): Promise<AuditFilter> {
  await checkNames(options);
  const now = Date.now();
  const { since, until } = options;
  return {
    action: options.action,
    code: options.code,
    only: options.refused === true ? "refusals" : undefined,
    accountId: options.account,
    userId: options.user,
    agentRuntimeId: options.agent,
    taskId: options.task,
    address: options.address,
    actor: options.actor,
    requestId: options.request,
    since: since === undefined ? undefined : parseInstant(since, "--since", now),
    until: until === undefined ? undefined : parseInstant(until, "--until", now),
  };
}

// Prints so many of the newest events, the oldest of them first. Returns the number up to which everything was looked at.
async function printNewest(
  show: (event: AuditEvent) => void,
  registry: Registry,
  filter: AuditFilter,
  count: number,
): Promise<number> {
  // Known before the newest are read, so that none is passed over between the two where none matches.
  const [end] = await registry.listAuditEvents({ last: 1 });
  const newest: AuditEvent[] = [];
  for await (const event of newestFirst(registry, filter, count)) newest.push(event);
  for (const event of newest.reverse()) show(event);
  return Math.max(end?.sequence ?? 0, newest.at(-1)?.sequence ?? 0);
}

async function* newestFirst(
  registry: Registry,
  filter: AuditFilter,
  wanted: number,
): AsyncGenerator<AuditEvent, void, undefined> {
  let before: number | undefined;
  for (let left = wanted; left > 0; ) {
    const last = Math.min(PART, left);
    const events = await registry.listAuditEvents({ ...filter, before, last });
    yield* events.toReversed();
    if (events.length < last) return;
    left -= events.length;
    before = events[0]?.sequence;
  }
}

// Warns if the authority stops answering, and goes on when it answers again. Otherwise its restart would look like a quiet log.
async function printAsTheyCome(
  run: Run,
  registry: Registry,
  filter: AuditFilter,
  after: number,
): Promise<void> {
  const { followAuditEvents } = await import("@countersign/agent-authority");
  const { signal, output } = run;
  let seen = after;
  let isTold = false;
  while (!signal.aborted) {
    try {
      for await (const event of followAuditEvents(registry, { ...filter, after: seen, signal })) {
        print(run, event);
        seen = event.sequence;
        isTold = false;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!CountersignError.is(error) || !error.retryable) throw error;
      if (!isTold) output.warn(`${error.message} (${error.code}); going on when it answers again`);
      isTold = true;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
}

// A misspelt name would find nothing, for ever.
async function checkNames({ action, code }: TailAuditOptions): Promise<void> {
  if (code !== undefined && !isCode(code)) throw usageError("--code: no code of the protocol");
  const { AUDITED_CHANGES, AUDITED_REQUESTS } = await import("@countersign/agent-authority");
  const actions: readonly string[] = [...AUDITED_CHANGES, ...AUDITED_REQUESTS];
  if (action === undefined || actions.includes(action)) return;
  throw usageError("--action: the audit log has no such action", actions.join(", "));
}

async function printAfter(
  show: (event: AuditEvent) => void,
  registry: Registry,
  filter: AuditFilter,
  after: number,
  wanted: number,
): Promise<void> {
  let seen = after;
  for (let left = wanted; left > 0; ) {
    const limit = Math.min(PART, left);
    const events = await registry.listAuditEvents({ ...filter, after: seen, limit });
    for (const event of events) show(event);
    if (events.length < limit) return;
    left -= events.length;
    seen = events.at(-1)?.sequence ?? seen;
  }
}

function print(run: Run, event: AuditEvent): void {
  run.output.result(auditRow(event), () => auditLine(event));
}

function parseSequence(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError("--after: not the sequence number of an event");
}
