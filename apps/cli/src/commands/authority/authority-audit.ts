import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent, AuditFilter, Registry } from "@countersign/agent-authority";
import { CountersignError } from "@countersign/agent-key";
import { isCode } from "@countersign/agent-key/codes";
import { escapeText } from "@countersign/agent-key/escaping";
import { hideCredentials } from "@countersign/agent-key/redaction";
import type { Run } from "../../config/run.js";
import { parseCount, toRow } from "../../session/registry-commands.js";
import { type RegistryOptions, type Row, withRegistry } from "../../session/registry-session.js";
import { usageError } from "../../text/cli-error.js";

/** Options of `authority audit tail`. */
export interface TailAuditOptions extends RegistryOptions {
  readonly follow?: boolean;
  readonly after?: string;
  readonly limit?: string;
  readonly action?: AuditEvent["action"];
  readonly code?: AuditEvent["code"];
  readonly account?: string;
  readonly agent?: string;
}

const DEFAULT_EVENTS = 20;
const PART = 1_000;
const RETRY_MS = 1_000;
// What each event has, which stands at the beginning of its line.
const UNNAMED: ReadonlySet<string> = new Set(["sequence", "at", "action"]);
// What one question to the registry gives of the newest events.
const MAX_NEWEST = 10_000;

/**
 * `authority audit tail`: the newest events, or those after one; with `--follow` also what comes, until SIGINT or SIGTERM. One line for each.
 */
export async function tailAudit(run: Run, options: TailAuditOptions): Promise<void> {
  const { follow = false, action, code, account: accountId, agent: agentRuntimeId } = options;
  const after = parseSequence(options.after);
  const limit = parseCount(options.limit, "--limit");
  if (follow && after !== undefined && limit !== undefined) {
    throw usageError("--follow with --after takes no --limit", "leave one of them out");
  }
  const filter = { action, code, accountId, agentRuntimeId };
  await checkNames(options);
  await withRegistry(run, options, async (registry) => {
    let seen = after;
    if (seen === undefined) {
      // Known before the newest are read, so that none is passed over between the two where none matches.
      const [end] = await registry.listAuditEvents({ last: 1 });
      seen = end?.sequence ?? 0;
      const count = limit ?? DEFAULT_EVENTS;
      if (count > MAX_NEWEST) throw usageError("--limit without --after is at most 10000");
      for (const event of await registry.listAuditEvents({ ...filter, last: count })) {
        print(run, event);
        seen = Math.max(seen, event.sequence);
      }
    } else if (!follow) {
      await printAfter(run, registry, filter, seen, limit ?? Number.POSITIVE_INFINITY);
    }
    if (!follow) return;
    await printAsTheyCome(run, registry, filter, seen);
  });
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
  run: Run,
  registry: Registry,
  filter: AuditFilter,
  after: number,
  wanted: number,
): Promise<void> {
  let seen = after;
  for (let left = wanted; left > 0; ) {
    const limit = Math.min(PART, left);
    const events = await registry.listAuditEvents({ ...filter, after: seen, limit });
    for (const event of events) print(run, event);
    if (events.length < limit) return;
    left -= events.length;
    seen = events.at(-1)?.sequence ?? seen;
  }
}

function print(run: Run, event: AuditEvent): void {
  const row = describe(event);
  run.output.result(row, () =>
    Object.entries(row)
      .flatMap(([name, value]) => toWord(name, value))
      .join(" "),
  );
}

function toWord(name: string, value: Row[string]): string[] {
  if (value === undefined) return [];
  const text = escapeText(String(value));
  return [UNNAMED.has(name) ? text : `${name}=${text}`];
}

function describe(event: AuditEvent): Row {
  const { claimedAgentRuntimeId, requestId } = event;
  return toRow({
    ...event,
    requestId: hidden(requestId),
    claimedAgentRuntimeId: hidden(claimedAgentRuntimeId),
  });
}

// The authority writes these two without credentials; an earlier one may have written them as they were sent.
function hidden(text: string | undefined): string | undefined {
  return text === undefined ? undefined : hideCredentials(text);
}

function parseSequence(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError("--after: not the sequence number of an event");
}
