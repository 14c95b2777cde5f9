import type { AuditEvent, FoundEntries, Registry } from "@countersign/agent-authority";
import { escapeText } from "@countersign/agent-key/escaping";
import type { Run } from "../../config/run.js";
import { type FindTerms, findTermsOf } from "../../find/find-terms.js";
import { type FoundWhere, type Match, withStops } from "../../find/stop-commands.js";
import { readStdin } from "../../home/secrets.js";
import { toRow } from "../../session/registry-commands.js";
import { membersOf, withRegistry } from "../../session/registry-session.js";
import { CliError } from "../../text/cli-error.js";
import { parseInteger } from "../../text/integer.js";
import { formatColumns } from "../../text/output.js";
import { auditLine, auditRow } from "./audit-line.js";

/** Options of `authority find`. */
export interface FindOptions extends FoundWhere {
  readonly limit?: string;
}

const MAX_INPUT_BYTES = 65_536;
const DEFAULT_FOUND = 10;
const MAX_FOUND = 100;

/** `authority find TEXT`: what a text may mean, and the commands that stop it. */
export async function find(
  run: Run,
  options: FindOptions,
  words: readonly string[],
): Promise<void> {
  const given = words.join(" ");
  const text =
    given === "-" ? (await readStdin(process.stdin, MAX_INPUT_BYTES)).toString("utf8") : given;
  const terms = findTermsOf(text);
  const limit =
    options.limit === undefined
      ? DEFAULT_FOUND
      : parseInteger(options.limit, "--limit", { min: 1, max: MAX_FOUND });
  const { found, where } = await withRegistry(run, options, async (registry, where) => ({
    found: await findFirst(registry, terms, limit),
    where,
  }));
  if (found === undefined)
    throw nothing(
      terms.flatMap(({ texts }) => texts),
      where,
    );
  const matches = withStops(found, options);
  const document = {
    matches: matches.map(({ kind, entry, tasks, stop }) => ({
      kind,
      ...toRow(entry),
      ...(tasks === undefined ? {} : { tasks }),
      stop,
    })),
    events: found.events.map(auditRow),
    more: found.more,
  };
  run.output.result(document, () => [
    ...matches.flatMap((match, index) => [...(index === 0 ? [] : [""]), ...linesOf(match)]),
    ...eventLines(found.events, matches.length > 0),
  ]);
  if (found.more) {
    run.output.note(`there is more of it: give more of the id, or --limit (at most ${MAX_FOUND})`);
  }
}

/** Returns what the first of the terms finds that finds anything. */
async function findFirst(
  registry: Registry,
  terms: readonly FindTerms[],
  limit: number,
): Promise<FoundEntries | undefined> {
  for (const some of terms) {
    const { more, ...found } = await findAll(registry, some, limit);
    if (Object.values(found).some((entries) => entries.length > 0)) return { ...found, more };
  }
  return undefined;
}

async function findAll(
  registry: Registry,
  { texts, among }: FindTerms,
  limit: number,
): Promise<FoundEntries> {
  const all: FoundEntries[] = [];
  for (const text of texts) all.push(await registry.find(text, { limit, among }));
  return {
    agents: distinct(all.flatMap(({ agents }) => agents)),
    tasks: distinct(all.flatMap(({ tasks }) => tasks)),
    accessTokens: distinct(all.flatMap(({ accessTokens }) => accessTokens)),
    users: distinct(all.flatMap(({ users }) => users)),
    accounts: distinct(all.flatMap(({ accounts }) => accounts)),
    events: distinct(all.flatMap(({ events }) => events)),
    more: all.some(({ more }) => more),
  };
}

function distinct<Entry>(entries: readonly Entry[]): readonly Entry[] {
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}

function linesOf({ kind, entry, tasks, stop }: Match): readonly string[] {
  const members = membersOf(toRow(entry)).map(([name, text]) => [`  ${name}`, text]);
  const stops = stop.map(({ stops, command }) => `  to stop ${stops}: ${escapeText(command)}`);
  const ended = stop.length === 0 ? ["  it has ended: nothing is left to stop"] : stops;
  const below = tasks === undefined ? [] : [`  to see its tasks: ${escapeText(tasks)}`];
  return [kind, ...formatColumns(members), ...below, ...ended];
}

function eventLines(events: readonly AuditEvent[], isAfterMatches: boolean): readonly string[] {
  if (events.length === 0) return [];
  const heading = [...(isAfterMatches ? [""] : []), "events of the audit log, newest first"];
  return [...heading, ...events.map((event) => `  ${auditLine(event)}`)];
}

function nothing(terms: readonly string[], where: string): CliError {
  return new CliError(
    "invalid_request",
    `the authority knows nothing that ${terms.map((term) => `"${term}"`).join(" or ")} is, or begins`,
    {
      hint: `check that ${where} is the right registry (--database, --authority); or look for it in what happened: countersign authority audit tail --limit 100`,
      exitCode: 1,
    },
  );
}
