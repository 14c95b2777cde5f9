import { setImmediate as turn } from "node:timers/promises";
import { normaliseAddress } from "@countersign/agent-assertion/client-address";
import { type Code, formatTimestamp, numberIn } from "@countersign/agent-key";
import { type Selectable, type SelectQueryBuilder, type SqlBool, sql } from "kysely";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkLimit } from "../operations/read-pages.js";
import { checkRequested } from "../option-checks.js";
import { type AuditQuery, DEFAULT_PAGE } from "../schema/admin-requests.js";
import type { AuditEventEntry } from "../schema/registry-entries.js";
import { timestamp } from "../schema/wire-fields.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { Database } from "../store/database.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { tokenOfActor, unnamedActor } from "./hidden-tokens.js";
import { listPage } from "./list-page.js";
import { standingOfTokens } from "./operate-access-tokens.js";
import { withoutNulls } from "./without-nulls.js";

// A statement looks at so many events at most: what is asked for may be rare, and on SQLite everybody waits for each statement.
const PORTION = 20_000;
// So many events of a request or an address are looked at whosever they are. Beyond it, those of the own accounts are picked from all.
const FEW = 10_000;

export async function listAuditEvents(
  store: AuthorityStore,
  query: AuditQuery,
  scope: AccountScope,
): Promise<AuditEventEntry[]> {
  const { after, last } = query;
  checkRequested("after", after, numberIn(0, Number.MAX_SAFE_INTEGER));
  if (last !== undefined && query.limit !== undefined) {
    throw invalid("give `limit` for the oldest, or `last` for the newest");
  }
  const limit = checkLimit(last ?? query.limit ?? DEFAULT_PAGE);
  const found = await listInPortions(
    store.rows,
    matching(eventsWithin(store.rows, scope), query),
    await findRange(store, query),
    {
      order: last === undefined ? "asc" : "desc",
      count: limit,
      scope,
      isByActor: query.actor !== undefined,
    },
  );
  if (last !== undefined) found.reverse();
  return found;
}

/** The newest events of a request, or from an address; `isNamed`: only those that name an agent which proved itself, or its task. */
export async function findEvents(
  rows: Rows,
  { column, text, isNamed }: { column: "request_id" | "address"; text: string; isNamed: boolean },
  count: number,
  scope: AccountScope,
): Promise<AuditEventEntry[]> {
  const narrowed = <Row>(events: Events<Row>): Events<Row> => {
    const some = events.where(column, "=", text);
    return isNamed ? some.where("agent_runtime_id", "is not", null) : some;
  };
  const show = { order: "desc", count, scope } as const;
  const events = rows.selectFrom("audit_events");
  if (scope !== undefined) {
    const first = await narrowed(events.select("sequence"))
      .limit(FEW + 1)
      .execute();
    // Where they are many, most of them may be of other accounts.
    if (first.length > FEW) {
      const { end } = await events
        .select((eb) => eb.fn.max<number | string>("sequence").as("end"))
        .executeTakeFirstOrThrow();
      const range = { after: 0, end: Number(end) };
      return await listInPortions(rows, narrowed(eventsWithin(rows, scope)), range, show);
    }
  }
  return await listShown(rows, narrowed(events.selectAll()), show);
}

/** Which events are shown, and how. */
interface Show {
  readonly order: "asc" | "desc";
  readonly count: number;
  readonly scope: AccountScope;
  /** Whether they were asked for by their actor. */
  readonly isByActor?: boolean;
}

/** Lists the events of a range that a query leaves, in statements that look at {@link PORTION} of them each. */
async function listInPortions(
  rows: Rows,
  events: Events<AuditEventRow>,
  range: Range,
  { count, ...show }: Show,
): Promise<AuditEventEntry[]> {
  const found: AuditEventEntry[] = [];
  for (const [from, to] of portions(range, show.order === "desc")) {
    const within = events.where("sequence", ">", from).where("sequence", "<=", to);
    found.push(...(await listShown(rows, within, { count: count - found.length, ...show })));
    if (found.length === count) break;
    // The database may work in this very thread: others get their turn.
    await turn();
  }
  return found;
}

function eventsWithin(rows: Rows, scope: AccountScope) {
  const events = rows.selectFrom("audit_events").selectAll();
  return scope === undefined ? events : events.where("account_id", "in", scope);
}

// An account's tokens may be outside of the scope, as the lists of tokens have it: then their events are, too. Others may have done something
// within it: then they are not named, nor found by their names.
function listShown(
  rows: Rows,
  events: Events<AuditEventRow>,
  { order, count, scope, isByActor = false }: Show,
): Promise<AuditEventEntry[]> {
  return listPage<ShownEvent, AuditEventEntry>(count, {
    read: async (last, portion) => {
      const rest =
        last === undefined
          ? events
          : events.where("sequence", order === "asc" ? ">" : "<", last.sequence);
      const read = await rest.orderBy("sequence", order).limit(portion).execute();
      return scope === undefined ? read : await judgeTokens(rows, read, scope);
    },
    toEntry: (row) => {
      const isHidden = row.isOutside === true || (isByActor && row.isUnnamed === true);
      return isHidden || !isWithin(scope, row.account_id) ? undefined : toEntry(row, scope);
    },
  });
}

async function judgeTokens(
  rows: Rows,
  events: readonly AuditEventRow[],
  scope: AccountScope,
): Promise<readonly ShownEvent[]> {
  const ids = events.flatMap(({ access_token_id: id, actor }) =>
    [id, tokenOfActor(actor)].flatMap((named) => named ?? []),
  );
  const standing = await standingOfTokens(rows, ids, scope);
  return events.map((row) => {
    const actor = tokenOfActor(row.actor);
    return {
      ...row,
      isOutside: standing.get(row.access_token_id ?? "")?.isWithin === false,
      isUnnamed: actor !== undefined && standing.get(actor)?.isNamed !== true,
    };
  });
}

function* portions({ after, end }: Range, isFromEnd: boolean): Generator<[number, number]> {
  const count = Math.max(0, Math.ceil((end - after) / PORTION));
  for (let index = 0; index < count; index += 1) {
    const from = after + (isFromEnd ? count - 1 - index : index) * PORTION;
    yield [from, Math.min(from + PORTION, end)];
  }
}

type AuditEventRow = Selectable<Database["audit_events"]>;

/** An event with what a scope decides about the tokens that it names. */
interface ShownEvent extends AuditEventRow {
  /** Whether the event is about a token that is not listed. */
  readonly isOutside?: boolean;
  /** Whether its actor is a token that is not named. */
  readonly isUnnamed?: boolean;
}

function toEntry(row: ShownEvent, scope: AccountScope): AuditEventEntry {
  const { isUnnamed = false } = row;
  return withoutNulls({
    sequence: Number(row.sequence),
    at: row.at,
    // Only this package writes these two, and only such values.
    action: row.action as AuditEventEntry["action"],
    code: row.code as Code | null,
    actor: row.actor !== null && isUnnamed ? unnamedActor(row.actor) : row.actor,
    actor_name: isUnnamed ? null : row.actor_name,
    address: row.address,
    request_id: row.request_id,
    account_id: row.account_id,
    user_id: row.user_id,
    agent_runtime_id: row.agent_runtime_id,
    // A claim may be to an agent of any account.
    claimed_agent_runtime_id: scope === undefined ? row.claimed_agent_runtime_id : null,
    task_id: row.task_id,
    access_token_id: row.access_token_id,
    reason: row.reason,
  });
}

const NAMED = ["account_id", "user_id", "task_id", "actor", "request_id"] as const;

type Events<Row> = SelectQueryBuilder<Database, "audit_events", Row>;

function matching<Row>(
  events: Events<Row>,
  { action, code, only, agent_runtime_id, since, until, ...query }: AuditQuery,
): Events<Row> {
  let narrowed = events;
  for (const column of NAMED) {
    const value = query[column];
    if (value !== undefined) narrowed = narrowed.where(column, "=", value);
  }
  const { address } = query;
  if (address !== undefined) {
    narrowed = narrowed.where("address", "=", normaliseAddress(address) ?? address);
  }
  if (only !== undefined)
    narrowed = narrowed.where("code", only === "refusals" ? "is not" : "is", null);
  // Not by the index of the times: each portion would read all of that again. The range of numbers has been narrowed already.
  if (since !== undefined) narrowed = narrowed.where(sql<SqlBool>`at || '' >= ${since}`);
  if (until !== undefined) narrowed = narrowed.where(sql<SqlBool>`at || '' < ${until}`);
  if (action !== undefined) narrowed = narrowed.where("action", "=", action);
  if (code !== undefined) narrowed = narrowed.where("code", "=", code);
  if (agent_runtime_id !== undefined) {
    narrowed = narrowed.where((eb) =>
      eb.or([
        eb("agent_runtime_id", "=", agent_runtime_id),
        eb("claimed_agent_runtime_id", "=", agent_runtime_id),
      ]),
    );
  }
  return narrowed;
}

/** Events with a number greater than `after`, up to `end`. */
interface Range {
  readonly after: number;
  readonly end: number;
}

// An event has its time before its number, and the clocks of the processes that write one log differ: an event may have a time that is earlier
// by so much than that of a smaller number. So what is before an event that old, or behind one that new, is outside of the times asked for.
const MAX_DISORDER_MS = 10 * 60_000;

async function findRange(store: AuthorityStore, query: AuditQuery): Promise<Range> {
  const { before, since, until } = query;
  if (before !== undefined) checkRequested("before", before, numberIn(1, Number.MAX_SAFE_INTEGER));
  const events = store.rows.selectFrom("audit_events").select("sequence").limit(1);
  let { after } = query;
  let end = await findEnd(store);
  if (before !== undefined) end = Math.min(end, before - 1);
  if (since !== undefined) {
    const last = await events
      .where("at", "<", moved("since", since, -MAX_DISORDER_MS))
      .orderBy("at", "desc")
      .orderBy("sequence", "desc")
      .executeTakeFirst();
    if (last !== undefined) after = Math.max(after, Number(last.sequence));
  }
  if (until !== undefined) {
    const first = await events
      .where("at", ">", moved("until", until, MAX_DISORDER_MS))
      .orderBy("at")
      .orderBy("sequence")
      .executeTakeFirst();
    if (first !== undefined) end = Math.min(end, Number(first.sequence) - 1);
  }
  return { after, end };
}

function moved(name: string, time: string, ms: number): string {
  if (timestamp.safeParse(time).success) return formatTimestamp(Date.parse(time) + ms);
  throw invalid(
    `write \`${name}\` as a time in UTC and whole seconds, such as 2026-01-31T12:00:00Z`,
  );
}

// SQLite writes one event after the other. On PostgreSQL an event may still be on its way while a later one is there: the end is the
// last before which nothing is missing.
async function findEnd({ kind, rows }: AuthorityStore): Promise<number> {
  const query =
    kind === "sqlite"
      ? sql<{ end: number | null }>`select max(sequence) as "end" from audit_events`
      : sql<{ end: string }>`select audit_events_end() as "end"`;
  const found = await query.execute(rows);
  return Number(found.rows[0]?.end ?? 0);
}

function invalid(hint: string): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", "the range of audit events is not allowed", {
    hint,
  });
}
