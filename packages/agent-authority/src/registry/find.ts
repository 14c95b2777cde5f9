import { normaliseAddress } from "@countersign/agent-assertion/client-address";
import { AgentPublicKey, isPrincipalId, isServerId, numberIn } from "@countersign/agent-key";
import type { z } from "zod";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkRequested } from "../option-checks.js";
import type { foundSchema } from "../schema/admin-lists.js";
import { type FindQuery, findQuerySchema, MAX_FOUND } from "../schema/admin-requests.js";
import type { AuditEventEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AccountScope } from "./account-scope.js";
import { findAgents } from "./find-agents.js";
import { findLabelled, findTasks } from "./find-tasks.js";
import { hideReporters } from "./hidden-tokens.js";
import { findAccessTokens } from "./operate-access-tokens.js";
import { findAccounts } from "./operate-accounts.js";
import { findEvents } from "./operate-audit.js";
import { findUsers } from "./operate-users.js";
import type { Instant } from "./times.js";

type Found = z.output<typeof foundSchema>;

// An address may have any number of events: agents are looked for in so many of its newest ones.
const EVENTS_OF_ADDRESS = 1_000;

/**
 * Finds everything that a text may mean. Every statement reads by an index, and so many rows at most.
 *
 * An agent that a refused request named without proof is not found by that request: its event shows the claim as a claim.
 */
export async function find(
  { rows }: AuthorityStore,
  query: FindQuery,
  instant: Instant,
  scope: AccountScope,
): Promise<Found> {
  const text = checkText(query.text);
  checkRequested("limit", query.limit, numberIn(1, MAX_FOUND));
  const isAny = query.among !== "events";
  // One more of each kind than is given says that there is more.
  const count = query.limit + 1;
  const events = await eventsOf(rows, text, count, scope);
  const named = {
    agents: [...(isAny ? await agentsWithKey(rows, text, scope) : []), ...events.agents],
    tasks: events.tasks,
  };
  const isId = isAny && isServerId(text);
  const isPrincipal = isAny && isPrincipalId(text);
  const agents = (ids: readonly string[]) =>
    ids.length === 0 ? [] : findAgents(rows, { ids: newest(ids, count) }, count, instant, scope);
  const tasks = (ids: readonly string[]) =>
    ids.length === 0 ? [] : findTasks(rows, { ids: newest(ids, count) }, count, instant, scope);
  const found = {
    // What a client or an issuer wrote comes after what the text names, and never in its place.
    agents: distinct("agent_runtime_id", [
      ...(isId ? await findAgents(rows, { prefix: text }, count, instant, scope) : []),
      ...(await agents(named.agents)),
      ...(isAny ? await findAgents(rows, { claim: text }, count, instant, scope) : []),
    ]),
    tasks: distinct("task_id", [
      ...(isId ? await findTasks(rows, { prefix: text }, count, instant, scope) : []),
      ...(await tasks(named.tasks)),
      ...(isAny ? await findLabelled(rows, text, count, instant, scope) : []),
    ]),
    tokens: distinct("id", [
      ...(isId ? await findAccessTokens(rows, { prefix: text }, count, instant, scope) : []),
      ...(isAny ? await findAccessTokens(rows, { name: text }, count, instant, scope) : []),
    ]),
    users: isPrincipal ? await findUsers(rows, text, count, scope) : [],
    accounts: isPrincipal ? await findAccounts(rows, text, count, scope) : [],
    events: events.shown,
  };
  return {
    agents: await hideReporters(rows, found.agents.slice(0, query.limit), scope),
    tasks: await hideReporters(rows, found.tasks.slice(0, query.limit), scope),
    tokens: found.tokens.slice(0, query.limit),
    users: found.users.slice(0, query.limit),
    accounts: found.accounts.slice(0, query.limit),
    events: found.events.slice(0, query.limit),
    more: Object.values(found).some((entries) => entries.length > query.limit),
  };
}

/** What the events of a request, or from an address, are about. */
interface NamedByEvents {
  readonly shown: readonly AuditEventEntry[];
  readonly agents: readonly string[];
  readonly tasks: readonly string[];
}

async function eventsOf(
  rows: Rows,
  text: string,
  count: number,
  scope: AccountScope,
): Promise<NamedByEvents> {
  const address = normaliseAddress(text);
  if (address === undefined) {
    const shown = await findEvents(
      rows,
      { column: "request_id", text, isNamed: false },
      count,
      scope,
    );
    return { shown, ...namedIn(shown) };
  }
  const from = { column: "address", text: address } as const;
  const shown = await findEvents(rows, { ...from, isNamed: false }, count, scope);
  const named = await findEvents(rows, { ...from, isNamed: true }, EVENTS_OF_ADDRESS, scope);
  // An agent has many tasks, and stopping it stops them all.
  return { shown, agents: namedIn(named).agents, tasks: [] };
}

function namedIn(events: readonly AuditEventEntry[]): Pick<NamedByEvents, "agents" | "tasks"> {
  return {
    agents: events.flatMap(({ agent_runtime_id: id }) => id ?? []),
    tasks: events.flatMap(({ task_id: id }) => id ?? []),
  };
}

// Anybody may claim a key that is not proved: claims from outside of the scope take no place of one within it.
async function agentsWithKey(
  rows: Rows,
  text: string,
  scope: AccountScope,
): Promise<readonly string[]> {
  const line = keyLineOf(text);
  if (line === undefined) return [];
  let agents = rows.selectFrom("agents").select("agent_runtime_id").where("public_key", "=", line);
  if (scope !== undefined) agents = agents.where("account_id", "in", scope);
  const current = await agents.execute();
  const former = await rows
    .selectFrom("former_keys")
    .select("agent_runtime_id")
    .where("public_key", "=", line)
    .execute();
  return [...current, ...former].map((row) => row.agent_runtime_id);
}

function keyLineOf(text: string): string | undefined {
  if (!text.startsWith("ssh-ed25519 ")) return undefined;
  try {
    return AgentPublicKey.parse(text).line;
  } catch {
    // Not a key: there is no agent that has it.
    return undefined;
  }
}

function distinct<Key extends string, Entry extends Readonly<Record<Key, string>>>(
  key: Key,
  entries: readonly Entry[],
): readonly Entry[] {
  // Of the same key the first place counts.
  return [...new Map(entries.map((entry) => [entry[key], entry])).values()];
}

// Ids grow with time.
function newest(ids: readonly string[], count: number): readonly string[] {
  return [...new Set(ids)].sort().reverse().slice(0, count);
}

function checkText(text: string): string {
  if (findQuerySchema.shape.text.safeParse(text).success) return text;
  throw new AgentAuthorityError("invalid_request", "the text to find is not allowed", {
    hint: "give 1 to 512 characters without control characters",
  });
}
