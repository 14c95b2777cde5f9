import type { StoredLogin } from "@countersign/agent-identity";
import {
  AuthorityClient,
  AuthorityError,
  type AuthorityResponse,
  type Whoami,
} from "@countersign/agent-identity/authority-client";
import { keySetUrl } from "@countersign/agent-identity/identity-jwt";
import type { Run } from "../config/run.js";
import { fail, ok, type Verdict, warn } from "./finding.js";

const DEADLINE_MS = 10_000;
const SMALL_SECONDS = 5;
const LARGEST_SECONDS = 86_400;
/** From this part of a limit on the user is warned. */
const WARNED_FROM = 0.8;
const NOT_FOUND = "has status 404";

/** The authority's answer to a request that needs no credential. */
export interface AuthorityAnswer {
  /** What is wrong with the answer; `undefined`: nothing. */
  readonly problem: string | undefined;
  /** The authority's clock minus this machine's, whole seconds; `undefined`: the answer has no time. */
  readonly offsetSeconds: number | undefined;
}

/**
 * Asks the authority for its key set, or how it is if it has none: that takes no credential, so it leaves no refusal in the audit log.
 *
 * @throws {AuthorityError} `unreachable` or `timeout`
 */
export async function askAuthority(run: Run, authority: string): Promise<AuthorityAnswer> {
  const client = new AuthorityClient({ authority, ...run.asking, deadlineMs: DEADLINE_MS });
  const keySet = keySetUrl(client.authority, run.http).slice(client.authority.length);
  const ask = async (path: string, answers: (body: unknown) => boolean) => {
    const question = { method: "GET", path, headers: { "cache-control": "no-cache" } } as const;
    try {
      const answer = await client.request(question, { signal: run.signal });
      const problem = answers(answer.body) ? undefined : "is not a key set";
      return { problem, offsetSeconds: offsetOf(answer) };
    } catch (error) {
      const isAnswer = AuthorityError.is(error) && error.status !== undefined;
      if (!isAnswer) throw error;
      return { problem: `has status ${error.status}`, offsetSeconds: undefined };
    }
  };
  const answer = await ask(keySet, isKeySet);
  if (answer.problem !== NOT_FOUND) return answer;
  // Without identity JWTs (generation B) an authority has no key set.
  const health = await ask("/healthz", isHealth);
  return health.problem === undefined ? health : answer;
}

function isKeySet(body: unknown): boolean {
  return typeof body === "object" && body !== null && "keys" in body && Array.isArray(body.keys);
}

function isHealth(body: unknown): boolean {
  return typeof body === "object" && body !== null && "status" in body && body.status === "ok";
}

/** Checks whether the answer is that of an authority. */
export function checkAuthority(authority: string, { problem }: AuthorityAnswer): Verdict {
  if (problem === undefined) return ok(`${authority} answers`);
  return warn(
    `the answer of ${authority} ${problem}; an authority of this kind answers with its public keys`,
    "check the URL: the authority's base URL, without /v1",
  );
}

/** Checks this machine's clock, by which assertions are signed. */
export function checkClock({ offsetSeconds }: AuthorityAnswer): Verdict {
  if (offsetSeconds === undefined) {
    return warn("the authority's answer has no time", "check that this machine's clock is right");
  }
  const away = Math.abs(offsetSeconds);
  if (away <= SMALL_SECONDS) return ok(`within ${SMALL_SECONDS} s of the authority's`);
  const message = `${away} s ${offsetSeconds > 0 ? "behind" : "ahead of"} the authority's`;
  const remedy = "set this machine's clock, for instance by NTP";
  return away > LARGEST_SECONDS
    ? fail(`${message}: assertions are refused`, remedy)
    : warn(`${message}: a running agent corrects for it after its first refusal`, remedy);
}

/**
 * Asks the authority whose token the stored login has.
 *
 * @param agentRuntimeId - the agent of this machine, whose tasks are counted
 * @returns `undefined` if the login is an agent's, or if the authority does not tell
 * @throws {AuthorityError} if the authority refuses the token, or cannot be reached
 */
export async function askWhoami(
  run: Run,
  login: StoredLogin,
  agentRuntimeId: string | undefined,
): Promise<Whoami | undefined> {
  // An agent's identity JWT holds its private key, so it is never sent.
  if (login.kind === "agent") return undefined;
  const client = new AuthorityClient({ authority: login.authority, ...run.asking });
  try {
    return await client.whoami(login.access_token, { agentRuntimeId, signal: run.signal });
  } catch (error) {
    if (!AuthorityError.is(error) || error.status !== 404) throw error;
    return undefined;
  }
}

/** Checks whether the token of the stored login is of its user. */
export function checkToken(login: StoredLogin, named: Whoami | undefined): Verdict {
  if (login.kind === "agent") return ok("an identity JWT, which is sent to no server");
  if (named === undefined) {
    return warn("the authority does not tell whose token it is", "nothing, if all else is ok");
  }
  if (named.accountId === login.account_id && named.userId === login.user_id) {
    return ok(`the authority knows it as ${login.user_id} of ${login.account_id}`);
  }
  return fail(
    `the login is ${login.user_id} of ${login.account_id}, but its token is ${named.userId}'s of ${named.accountId}`,
    "log in again without --account and --user",
  );
}

/** Warns if the user has used 80 % of a limit of live agents, or its agent that of live tasks. `undefined`: no, or the authority does not say. */
export function checkLimits({ agents, ephemeralAgents, tasks }: Whoami): Verdict | undefined {
  const nearAgents = [
    ...nearLimit("live agents", agents),
    ...nearLimit("live ephemeral agents", ephemeralAgents),
  ];
  const nearTasks = nearLimit("live tasks", tasks);
  const messages: string[] = [];
  const remedies: string[] = [];
  if (nearAgents.length > 0) {
    messages.push(
      `the user has ${nearAgents.join(" and ")}; at the limit, no further agent is registered (agent_limit)`,
    );
    remedies.push("end agents that are not used: countersign logout --revoke in their homes");
  }
  if (nearTasks.length > 0) {
    messages.push(
      `the agent has ${nearTasks.join()}; at the limit, no further task is registered (task_limit)`,
    );
    remedies.push("end tasks that are not used: countersign task forget --revoke --thread ID");
  }
  if (messages.length === 0) return undefined;
  const orElse = "or ask the operator to raise the limit";
  return warn(messages.join(". "), [...remedies, orElse].join("; "));
}

function nearLimit(what: string, count: Whoami["agents"]): readonly string[] {
  if (count === undefined || count.live < WARNED_FROM * count.limit) return [];
  return [`${count.live} of ${count.limit} ${what}`];
}

// As protocol §10 learns it: the middle of the exchange, whole seconds rounded down, never out of a cache.
function offsetOf({ headers, sentAt, receivedAt }: AuthorityResponse): number | undefined {
  const date = Date.parse(String(headers.date));
  if (Number.isNaN(date) || headers.age !== undefined) return undefined;
  return Math.round((date + 500 - (sentAt + receivedAt) / 2) / 1000);
}
