import type { StoredLogin } from "@countersign/agent-identity";
import { AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import type { Run } from "../config/run.js";
import { toTransportError } from "../request/transport-error.js";
import { readVersion } from "../version.js";
import { fail, ok, type Verdict, warn } from "./finding.js";

const DEADLINE_MS = 10_000;
const SMALL_SECONDS = 5;
const LARGEST_SECONDS = 86_400;

/** How the authority answered a question that it knows and that needs no credential to be refused. */
export interface AuthorityAnswer {
  readonly status: number;
  /** The authority's clock less this machine's, whole seconds; `undefined`: it does not tell. */
  readonly offsetSeconds: number | undefined;
}

/**
 * Asks the authority something without a credential.
 *
 * @throws {CliError} `unreachable` or `timeout`
 */
export async function askAuthority(run: Run, authority: string): Promise<AuthorityAnswer> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const sentAt = Date.now();
  try {
    const answer = await fetch(`${authority}/v1/whoami`, {
      redirect: "manual",
      headers: { "user-agent": `countersign/${readVersion()}` },
      signal: AbortSignal.any([run.signal, deadline]),
    });
    const middle = (sentAt + Date.now()) / 2;
    await answer.body?.cancel();
    return { status: answer.status, offsetSeconds: offsetOf(answer.headers, middle) };
  } catch (error) {
    throw toTransportError(error, authority, run.signal);
  }
}

/** Looks at whether it answers as an authority does. */
export function checkAuthority(authority: string, { status }: AuthorityAnswer): Verdict {
  if (status === 401) return ok(`${authority} answers`);
  return warn(
    `${authority} answers with ${status}, where an authority of this kind asks for a token`,
    "check the URL: the authority's base URL, without /v1",
  );
}

/** Looks at this machine's clock, by which assertions are signed. */
export function checkClock({ offsetSeconds }: AuthorityAnswer): Verdict {
  if (offsetSeconds === undefined) {
    return warn("the authority does not tell its time", "check that this machine's clock is right");
  }
  const away = Math.abs(offsetSeconds);
  if (away <= SMALL_SECONDS) return ok(`within ${SMALL_SECONDS} s of the authority's`);
  const message = `${away} s ${offsetSeconds > 0 ? "behind" : "ahead of"} the authority's`;
  const remedy = "set this machine's clock, for instance by NTP";
  return away > LARGEST_SECONDS
    ? fail(`${message}: assertions are refused`, remedy)
    : warn(`${message}: a running agent corrects for it after its first refusal`, remedy);
}

/** Looks at whether the authority accepts the token of the stored login. */
export async function checkToken(run: Run, login: StoredLogin): Promise<Verdict> {
  const who = `${login.user_id} of ${login.account_id}`;
  // An agent's identity token is no token for servers: it is sent to nobody.
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

// As protocol §8 learns it: the middle of the exchange, whole seconds rounded down, never out of a cache.
function offsetOf(headers: Headers, middle: number): number | undefined {
  const date = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(date) || headers.has("age")) return undefined;
  return Math.round((date + 500 - middle) / 1000);
}
