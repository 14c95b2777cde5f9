import type { Credentials, StoredHumanLogin, StoredIdentity } from "@countersign/agent-identity";
import { AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import { AgentKey, AgentKeyError } from "@countersign/agent-key";
import type { Run } from "../config/run.js";
import { parseBaseUrl } from "../options/http-url.js";
import { CliError } from "../text/cli-error.js";
import { isSameOwner } from "./codex-identity.js";

/** The registered agent of a human's login, in this home. */
export interface LoginAgent {
  readonly login: StoredHumanLogin;
  readonly agentRuntimeId: string;
  readonly entry: StoredIdentity;
}

/** Finds the registered agent of the login; `undefined`: the login is not a human's, or it has no registered agent. */
export function findLoginAgent({ login, identities }: Credentials): LoginAgent | undefined {
  if (login?.kind !== "human") return undefined;
  const entry = identities.find(
    (identity) => identity.state === "registered" && isSameOwner(identity, login),
  );
  const agentRuntimeId = entry?.agent_runtime_id;
  if (entry === undefined || agentRuntimeId === undefined) return undefined;
  return { login, agentRuntimeId, entry };
}

/** Whether an entry is this agent with this key, so that one that was registered since is not taken for it. */
export function isEntryOf({ entry }: LoginAgent, other: StoredIdentity): boolean {
  return (
    isSameOwner(entry, other) &&
    entry.private_key === other.private_key &&
    entry.public_key === other.public_key
  );
}

/**
 * Revokes an agent at its authority: with its own key, because the token of a job is over before the job is; otherwise with the token of its
 * human, for instance at an authority that takes the token alone. Works with the feature off too.
 *
 * @throws {AuthorityError} if the authority cannot be reached, or refuses both: why it refused the key, then the token
 */
export async function revokeLoginAgent(
  run: Run,
  { login, agentRuntimeId, entry }: LoginAgent,
): Promise<void> {
  const authority = parseBaseUrl(run, { url: login.authority, from: "the login" });
  const client = new AuthorityClient({ authority, ...run.asking });
  const { signal } = run;
  let refusal: unknown;
  try {
    const { private_key } = entry;
    if (private_key !== undefined) {
      const key = AgentKey.importPkcs8(private_key);
      await client.endAgent({ agentRuntimeId, key }, { signal });
      return;
    }
  } catch (error) {
    if (!isRefused(error)) throw error;
    refusal = error;
  }
  try {
    await client.revokeAgent(login.access_token, agentRuntimeId, { signal });
  } catch (error) {
    throw AuthorityError.is(refusal) && isRefused(error) ? ofBoth(refusal, error) : error;
  }
}

// The token of a job is over as a rule, so that its refusal says little, unless the authority serves no ends by the agent's key.
function ofBoth(ofKey: AuthorityError, ofToken: unknown): unknown {
  const isServed = ofKey.status !== 404 || ofKey.code === "unknown_agent";
  if (!isServed || !AuthorityError.is(ofToken)) return ofToken;
  const { code, status } = ofKey;
  return new AuthorityError(
    code,
    `${ofKey.message}; the token of the login was refused too: ${ofToken.message}`,
    { status, hint: ofKey.hint ?? ofToken.hint, cause: ofKey },
  );
}

// Not while it cannot be reached: the token would be sent for nothing. A key that cannot be read ends nothing either.
function isRefused(error: unknown): boolean {
  if (AgentKeyError.is(error)) return error.code === "invalid_key";
  return AuthorityError.is(error) && error.status !== undefined && !error.retryable;
}

/** The error if the login has no agent that its human could revoke. */
export function noLoginAgent({ login }: Credentials): CliError {
  if (login === null) {
    return new CliError("not_logged_in", "not logged in", { hint: "countersign login" });
  }
  if (login.kind === "agent") {
    return new CliError("not_logged_in", "the login is an agent's, not a human's", {
      hint: `ask the issuer of the identity JWT, or the operator of ${login.authority}`,
    });
  }
  return new CliError("no_identity", `no agent is registered with ${login.authority}`, {
    hint: "countersign identity ensure",
  });
}
