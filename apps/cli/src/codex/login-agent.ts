import type { Credentials, StoredHumanLogin, StoredIdentity } from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
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

/**
 * Revokes an agent at its authority with the token of its human. Works with the feature off too.
 *
 * @throws {AuthorityError} if the authority cannot be reached, or refuses
 */
export async function revokeLoginAgent(
  run: Run,
  { login, agentRuntimeId }: LoginAgent,
): Promise<void> {
  const authority = parseBaseUrl(run, { url: login.authority, from: "the login" });
  const client = new AuthorityClient({ authority, ...run.asking });
  await client.revokeAgent(login.access_token, agentRuntimeId, { signal: run.signal });
}

/** The error if the login has no agent that its human could revoke. */
export function noLoginAgent({ login }: Credentials): CliError {
  if (login === null) {
    return new CliError("not_logged_in", "not logged in", { hint: "countersign login" });
  }
  if (login.kind === "agent") {
    return new CliError("not_logged_in", "the login is an agent's, not a human's", {
      hint: `ask the issuer of the identity token, or the operator of ${login.authority}`,
    });
  }
  return new CliError("no_identity", `no agent is registered with ${login.authority}`, {
    hint: "countersign identity ensure",
  });
}
