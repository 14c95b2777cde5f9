import { parseAssertion } from "@countersign/agent-assertion";
import { hideCredentials } from "@countersign/agent-key/redaction";
import { usageError } from "../text/cli-error.js";

// By these names logs, audit lines and headers hold what can be searched for. Only the first group that a text has is used, because the
// following ones would find more than the text is about. A request id that finds nothing is followed by the next group: the registry knows
// the requests that it was asked itself, and a gateway's line of a caller that proved nothing has no more than that and an address.
const REQUEST = ["request_id", "x-request-id"];
const ADDRESS = ["address"];
const NAMES: readonly (readonly string[])[] = [
  ["task_id", "x-agent-task-id", "agent_runtime_id", "x-agent-runtime-id"],
  REQUEST,
  ["access_token_id"],
  ["user_id"],
  ["account_id", "x-agent-account-id"],
  ADDRESS,
];
const VALUE = /^[^\s",]{1,256}$/;
const NAMED = new RegExp(
  String.raw`(?<![\w-])"?(${NAMES.flat().join("|")})"?\s*[:=]\s*"?([^\s",]{1,256})`,
  "gi",
);
// A member of JSON, and where one begins. A quotation mark in a text of a client follows a backslash there, so that text begins no member: not
// even in a line that was cut off, or in several lines.
const MEMBER = new RegExp(
  String.raw`[{,]\s*"(${NAMES.flat().join("|")})"\s*:\s*"([^\s",\\]{1,256})"`,
  "gi",
);
const ANY_MEMBER = /[{,]\s*"[\w.-]+"\s*:/;
// What operators wrote, in a line of the audit log.
const QUOTED_WORDS = /\b(?:actor|actor_name|reason)="(?:[^"\\]|\\.)*"/g;
const KEY_LINE = /ssh-ed25519 [A-Za-z0-9+/=]{1,200}/;
const BARE_KEY = /^AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/=]{1,200}$/;
// 64 bytes, as no id has them.
const BARE_SIGNATURE = /^[A-Za-z0-9+/]{86}(?:==)?$/;
const ASSERTION = /(?:\bAgentAssertion\s+|^)(eyJ[\w-]+=*)/i;
const OWN_ID = /\b(?:task|agent|token)_[0-9a-f][0-9a-f-]{34}[0-9a-f]\b/g;

/** What can be searched for, all of the same sort. */
export interface FindTerms {
  readonly texts: readonly string[];
  /** `events`: request ids or addresses of a log, which clients choose themselves. */
  readonly among: "everything" | "events";
}

/**
 * Takes out of what an operator pasted what can be searched for; if the first of it finds nothing, the next one counts: of an assertion its task and its agent, of a line of a log the ids in it, of
 * a key its line. Nothing else of the text is kept: neither a signature nor another credential. Of lines of JSON, also if one
 * was cut off, only whole members count, because others hold what a client wrote: a client cannot name another's task in its `User-Agent`.
 *
 * @throws {CliError} `usage` if the text is empty, is a credential, or is a whole line without anything to search for
 */
export function findTermsOf(pasted: string): readonly FindTerms[] {
  const text = pasted.trim();
  if (text === "") throw usageError("there is nothing to find", WHAT);
  const line = membersOf(text);
  const named = line === undefined ? [] : termsAmong(line);
  if (named.length > 0) return named;
  return ANY_MEMBER.test(text) ? termsOfMembers(text) : termsIn(text);
}

function termsOfMembers(text: string): readonly FindTerms[] {
  const named = termsAmong(namedBy(MEMBER, text));
  if (named.length > 0) return named;
  throw usageError(
    "the line has no member that can be searched for",
    "what stands in its other members may be of a client: give an id of it alone",
  );
}

function namedBy(pattern: RegExp, text: string): Named {
  return [...text.matchAll(pattern)].map(([, name = "", value = ""]) => [name, value]);
}

function termsIn(text: string): readonly FindTerms[] {
  const assertion = ASSERTION.exec(text)?.[1];
  if (assertion !== undefined) return [anyOf(...idsOf(assertion))];
  const named = termsAmong(namedBy(NAMED, text.replace(QUOTED_WORDS, "")));
  if (named.length > 0) return named;
  const line = KEY_LINE.exec(text)?.[0];
  if (line !== undefined) return [anyOf(line)];
  if (BARE_KEY.test(text)) return [anyOf(`ssh-ed25519 ${text}`)];
  if (BARE_SIGNATURE.test(text) || hideCredentials(text) !== text) {
    throw usageError(
      "the text is a credential, or holds one: it is not searched for",
      `${WHAT}; the id of an access token is in countersign authority token list`,
    );
  }
  if (/^[^\s\p{Cc}]{1,512}$/u.test(text)) return [anyOf(text)];
  const ids = text.match(OWN_ID);
  if (ids !== null) return [anyOf(...new Set(ids))];
  // What people named something may be several words. A longer text is a line of a log.
  if (/^\P{Cc}{1,64}$/u.test(text)) return [anyOf(text)];
  throw usageError("the text holds no id that can be searched for", WHAT);
}

const WHAT =
  "give an id or its beginning, a thread label, a user, an account, the name of a token, a kept claim, an address, a request id, a public key, an AgentAssertion header or a line of a log";

function idsOf(token: string): readonly string[] {
  try {
    const { agentRuntimeId, taskId } = parseAssertion(`AgentAssertion ${token}`);
    return [taskId, agentRuntimeId];
  } catch {
    // The reason would quote a part of what was pasted.
    throw usageError("the text looks like an assertion or a token, and is not an assertion", WHAT);
  }
}

type Named = readonly (readonly [name: string, value: string])[];

/** Returns the members of a line of JSON that are texts; what a collector of logs wrote before the line is ignored. */
function membersOf(text: string): Named | undefined {
  try {
    const line: unknown = JSON.parse(text.slice(text.indexOf("{")));
    if (typeof line !== "object" || line === null) return undefined;
    return Object.entries(line).filter((member): member is [string, string] => {
      const [, value] = member;
      return typeof value === "string" && VALUE.test(value);
    });
  } catch {
    return undefined;
  }
}

function termsAmong(named: Named): readonly FindTerms[] {
  const groups = NAMES.map((names) => {
    const values = named
      .filter(([name, value]) => names.includes(name.toLowerCase()) && isUsable(value))
      .map(([, value]) => value);
    return { names, values: [...new Set(values)] };
  }).filter(({ values }) => values.length > 0);
  const last = groups.findIndex(({ names }) => names !== REQUEST);
  return groups.slice(0, last < 0 ? undefined : last + 1).map(({ names, values }) => {
    const isChosen = names === REQUEST || names === ADDRESS;
    return { texts: values, among: isChosen ? "events" : "everything" };
  });
}

function anyOf(...texts: readonly string[]): FindTerms {
  return { texts, among: "everything" };
}

function isUsable(value: string): boolean {
  return hideCredentials(value) === value && value !== "[hidden]";
}
