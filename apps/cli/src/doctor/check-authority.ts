import type { StoredLogin } from "@countersign/agent-identity";
import {
  AuthorityClient,
  AuthorityError,
  type AuthorityResponse,
} from "@countersign/agent-identity/authority-client";
import { keySetUrl } from "@countersign/agent-identity/identity-token";
import type { Run } from "../config/run.js";
import { fail, ok, type Verdict, warn } from "./finding.js";

const DEADLINE_MS = 10_000;
const SMALL_SECONDS = 5;
const LARGEST_SECONDS = 86_400;

/** The authority's answer to a request that needs no credential. */
export interface AuthorityAnswer {
  /** What is wrong with the answer; `undefined`: nothing. */
  readonly problem: string | undefined;
  /** The authority's clock minus this machine's, whole seconds; `undefined`: the answer has no time. */
  readonly offsetSeconds: number | undefined;
}

/**
 * Asks the authority for its key set: that takes no credential, so it leaves no refusal in the audit log.
 *
 * @throws {AuthorityError} `unreachable` or `timeout`
 */
export async function askAuthority(run: Run, authority: string): Promise<AuthorityAnswer> {
  const client = new AuthorityClient({ authority, ...run.asking, deadlineMs: DEADLINE_MS });
  const path = keySetUrl(client.authority, run.http).slice(client.authority.length);
  const question = { method: "GET", path, headers: { "cache-control": "no-cache" } } as const;
  try {
    const answer = await client.request(question, { signal: run.signal });
    const problem = isKeySet(answer.body) ? undefined : "is not a key set";
    return { problem, offsetSeconds: offsetOf(answer) };
  } catch (error) {
    const isAnswer = AuthorityError.is(error) && error.status !== undefined;
    if (!isAnswer) throw error;
    return { problem: `has status ${error.status}`, offsetSeconds: undefined };
  }
}

function isKeySet(body: unknown): boolean {
  return typeof body === "object" && body !== null && "keys" in body && Array.isArray(body.keys);
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

/** Checks whether the authority accepts the token of the stored login. */
export async function checkToken(run: Run, login: StoredLogin): Promise<Verdict> {
  const who = `${login.user_id} of ${login.account_id}`;
  // An agent's identity token holds its private key, so it is never sent.
  if (login.kind === "agent") return ok("an identity token, which is sent to no server");
  const client = new AuthorityClient({ authority: login.authority, ...run.asking });
  try {
    const named = await client.whoami(login.access_token, { signal: run.signal });
    if (named.accountId === login.account_id && named.userId === login.user_id) {
      return ok(`the authority knows it as ${who}`);
    }
    return fail(
      `the login is ${who}, but its token is ${named.userId}'s of ${named.accountId}`,
      "log in again without --account and --user",
    );
  } catch (error) {
    if (!AuthorityError.is(error) || error.status !== 404) throw error;
    return warn("the authority does not tell whose token it is", "nothing, if all else is ok");
  }
}

// As protocol §10 learns it: the middle of the exchange, whole seconds rounded down, never out of a cache.
function offsetOf({ headers, sentAt, receivedAt }: AuthorityResponse): number | undefined {
  const date = Date.parse(String(headers.date));
  if (Number.isNaN(date) || headers.age !== undefined) return undefined;
  return Math.round((date + 500 - (sentAt + receivedAt) / 2) / 1000);
}
